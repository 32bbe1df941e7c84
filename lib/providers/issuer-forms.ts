// Forms of `iss` that presets share. Text tests only: nothing here parses a URL to fetch it (issuers.md §0.1, A13). Pure.

/** An https issuer without userinfo, query or fragment, on a host that is a DNS name. A port is for inline key sets only. */
const HTTPS_ISSUER =
  /^https:\/\/(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?$/

/** True for an https issuer whose host is a name; the fetcher refuses IP literals and other ports as well. */
export const isHttpsIssuer = (iss: string): boolean =>
  HTTPS_ISSUER.test(iss) && !/^https:\/\/[0-9.]+(?:[:/]|$)/.test(iss)

/** True when the issuer lives on exactly this host, whatever its path. */
export const isOnHost = (iss: string, host: string): boolean =>
  iss === `https://${host}` || iss.startsWith(`https://${host}/`)

export const UUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'

const UUID_ONLY = new RegExp(`^${UUID}$`)

export const isUuid = (text: string): boolean => UUID_ONLY.test(text)

/** Audiences that relying parties everywhere accept: evidence for them was not meant for us (issuers.md §0.5). */
export const isCommonAudience = (aud: string): boolean => COMMON_AUDIENCES.has(aud)

const COMMON_AUDIENCES: ReadonlySet<string> = new Set([
  'sts.amazonaws.com',
  'pods.eks.amazonaws.com',
  'sigstore',
  'api://AzureADTokenExchange',
  'https://kubernetes.default.svc',
])
