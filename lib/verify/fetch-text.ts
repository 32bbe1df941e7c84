// One bounded GET: no redirect, a deadline, a cap on what is read, https (http to this machine). Null: no such answer.

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

const DEADLINE_MS = 5_000
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Throws TypeError: a verifier that is told to fetch from elsewhere is configured wrongly. */
export const requireSecureUrl = (text: string): string => {
  const url = new URL(text)
  const isSecure = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))
  if (!isSecure || url.username !== '' || url.password !== '' || url.hash !== '')
    throw new TypeError('keys and feeds are fetched over https')
  return text
}

export const fetchText = async (fetchFrom: Fetch, url: string, charsMax: number): Promise<string | null> => {
  try {
    const response = await fetchFrom(url, { redirect: 'manual', signal: AbortSignal.timeout(DEADLINE_MS) })
    if (response.status !== 200 || response.body === null) return null
    const decoder = new TextDecoder()
    let text = ''
    const reader = response.body.getReader()
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += decoder.decode(read.value, { stream: true })
      if (text.length > charsMax) {
        await reader.cancel()
        return null
      }
    }
    return text + decoder.decode()
  } catch {
    return null
  }
}
