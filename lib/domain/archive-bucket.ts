// The bucket under Object Lock on AWS: named once for who deploys it, who anchors there and who compares with it. Pure.

export const archiveBucket = ({ account, region }: { readonly account: string; readonly region: string }): string =>
  `mintmark-archive-${account}-${region}`

const SIZE_DIGITS = 12

/** Checkpoints of one tenant's log, and nothing else. */
export const anchoredPrefix = (tenant: string): string => `checkpoints/${tenant}/`

/** Sorts as the sizes do. */
export const anchoredKey = (tenant: string, size: number): string =>
  `${anchoredPrefix(tenant)}${String(size).padStart(SIZE_DIGITS, '0')}`
