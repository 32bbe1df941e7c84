import { createPublicKey, generateKeyPairSync, hash, sign, verify as verifyNode } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Sha256 } from '../../../lib/domain/tlog/merkle.ts'
import {
  checkpointNotesIn,
  checkpointText,
  decodeBase64,
  encodeBase64,
  isOfOtherKeys,
  type NoteKey,
  noteOf,
  openNote,
  parseCheckpoint,
  parseProof,
  parseVerifierKey,
  proofText,
  type VerifyEd25519,
  verifierKey,
} from '../../../lib/domain/tlog/signed-note.ts'

const sha256: Sha256 = (data) => hash('sha256', data, 'buffer')
const verify: VerifyEd25519 = (publicKey, message, signature) => {
  const x = Buffer.from(publicKey).toString('base64url')
  return verifyNode(
    null,
    message,
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
    signature,
  )
}
const means = { sha256, verify }

// Of the C2SP signed-note specification.
const VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const own: NoteKey = {
  name: 'sts.example.com/t/acme/log',
  publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url'),
}
const signed = (text: string) =>
  noteOf(sha256, text, [{ key: own, signature: sign(null, Buffer.from(text), privateKey) }])

describe('signed notes', () => {
  const key = parseVerifierKey(sha256, VKEY)!

  test('the example of the specification verifies, and its key reads back', () => {
    expect(verifierKey(sha256, key)).toBe(VKEY)
    expect(openNote(means, NOTE, [key])).toBe('This is an example message.\n')
  })

  test('a note of other keys is told from one that names a key and is not of it, or is none', () => {
    expect(isOfOtherKeys(sha256, NOTE, [own])).toBe(true)
    expect(isOfOtherKeys(sha256, NOTE, [own, key])).toBe(false)
    expect(isOfOtherKeys(sha256, NOTE.replace('message', 'massage'), [key])).toBe(false)
    expect(isOfOtherKeys(sha256, NOTE.replace('\n\n', '\n'), [own])).toBe(false)
  })

  test('what is signed opens, beside signatures of others', () => {
    const note = `${signed('text\n')}— example.org/witness AAAAAAAA\n`
    expect(openNote(means, note, [own])).toBe('text\n')
  })

  test.each<[string, string]>([
    ['another text', NOTE.replace('message', 'massage')],
    ['a bit of the signature flipped', NOTE.replace('Uw2QOkn8', 'Uw2QOkn9')],
    ['no signature', 'This is an example message.\n\n'],
    ['no empty line', NOTE.replace('\n\n', '\n')],
    ['no newline at the end', NOTE.slice(0, -1)],
    ['a control character', NOTE.replace('an example', 'an\u0007example')],
    ['a hyphen for the dash', NOTE.replace('—', '-')],
    ['base64 with bits after its end', NOTE.replace('yaQM=', 'yaQN=')],
    ['an empty text', NOTE.slice(NOTE.indexOf('\n\n'))],
    ['a line after the signatures that is none', `${NOTE}more\n`],
  ])('a note with %s does not open', (_, note) => expect(openNote(means, note, [key])).toBeNull())

  test('a note nobody known has signed does not open', () => {
    expect(openNote(means, NOTE, [])).toBeNull()
    expect(openNote(means, NOTE, [own])).toBeNull()
    expect(openNote(means, NOTE, [{ ...key, name: 'example.com/bar' }])).toBeNull()
  })

  test('a known key with a bad signature spoils the note, whoever else has signed it', () => {
    const good = signed('text\n')
    const bad = good
      .trimEnd()
      .split('\n')
      .at(-1)!
      .replace(/.{8}=?=?$/, 'AAAAAAA=')
    expect(openNote(means, `${good}${bad}\n`, [own])).toBeNull()
  })

  test.each(['', 'name', VKEY.replace('530d903a', '530d903b'), VKEY.replace('+Aek', '+Bek'), `${VKEY}AAAA`])(
    'the verifier key "%s" is refused',
    (text) => expect(parseVerifierKey(sha256, text)).toBeNull(),
  )
})

describe('checkpoints', () => {
  const checkpoint = { origin: own.name, size: 20_852_163, root: sha256(new Uint8Array(0)) }

  test('a checkpoint is the text of C2SP to the byte, and reads back as it was', () => {
    expect(checkpointText(checkpoint)).toBe(
      'sts.example.com/t/acme/log\n20852163\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
    )
    expect(parseCheckpoint(checkpointText(checkpoint))).toEqual({
      ...checkpoint,
      root: new Uint8Array(checkpoint.root),
    })
    expect(parseCheckpoint(`${checkpointText(checkpoint)}extension\n`)).not.toBeNull()
  })

  test.each([
    ['no origin', '\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
    ['a leading zero', 'o\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
    ['a negative size', 'o\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
    ['a size past 2^53', 'o\n9007199254740993\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
    ['a short root', 'o\n1\nAAAA\n'],
    ['no newline', 'o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
    ['an empty extension line', 'o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n'],
  ])('a text with %s is no checkpoint', (_, text) => expect(parseCheckpoint(text)).toBeNull())

  test('a receipt carries index, path and checkpoint', () => {
    const proof = [sha256(Buffer.from('a')), sha256(Buffer.from('b'))]
    const note = signed(checkpointText(checkpoint))
    const text = proofText(41, proof, note)
    expect(parseProof(text)).toEqual({ index: 41, proof: proof.map((one) => new Uint8Array(one)), note })
    expect(parseProof(text.replace('index 41', 'index 041'))).toBeNull()
    expect(parseProof(text.replace('@v1', '@v2'))).toBeNull()
  })

  test('base64 is the canonical one with padding', () => {
    for (const length of [0, 1, 2, 3, 32])
      expect(decodeBase64(encodeBase64(new Uint8Array(length).fill(251)))).toEqual(new Uint8Array(length).fill(251))
    for (const text of ['A', 'AA', 'AA=', 'AB==', '-_8=', 'AA==AAAA']) expect(decodeBase64(text), text).toBeNull()
  })
})

describe('notes that an anchor keeps', () => {
  const signature = `— o ${Buffer.alloc(68).toString('base64')}\n`
  const note = `o\n12\nroot\n\n${signature}`

  test.each([
    ['one behind the other', `\n\n${note}\n\n${note}`, [note, note]],
    ['with cosignatures', `${note}${signature}\n${note}`, [`${note}${signature}`, note]],
    [
      'with lines between root and signatures',
      `o\n12\nroot\nmore\n\n${signature}`,
      [`o\n12\nroot\nmore\n\n${signature}`],
    ],
    ['behind one that a crash cut short', `o\n12\nro\n\n${note}`, [note]],
    ['before one that a crash cut short', `${note}\n\no\n12\nroot\n\n${signature.slice(0, 40)}`, [note]],
    ['whose signature was cut short', `o\n12\nroot\n\n${signature.slice(0, 40)}\n`, []],
    ['without a size', `o\nroot\n\n${signature}`, []],
    ['without a root', `o\n12\n\n${signature}`, []],
    ['without a signature', 'o\n12\nroot\n\n\n', []],
  ])('%s', (_, text, notes) => expect(checkpointNotesIn(text)).toEqual(notes))

  // One pattern over all of it took the square of its length: hours for what is read of an anchor at the start.
  test('are found behind megabytes of what somebody else wrote there', () => {
    for (const junk of ['— ', 'é', 'a', '1\n'])
      expect(checkpointNotesIn(`${junk.repeat(1_000_000)}\n\n${note}`)).toEqual([note])
  })
})
