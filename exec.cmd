@rem The npm scripts begin with "exec", so that signals to npm reach node and not a shell in between. Windows has no exec: this stands for it.
@%*
