// A relying party made of oauth4webapi, unmodified: every check of the library is called by hand, DPoP with its nonces.
//
// It prints {origin}, then reads one line {issuer, client_id}; it is a public client. /login?push=1 pushes the request.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import * as oauth from 'oauth4webapi'

const INSECURE = { [oauth.allowInsecureRequests]: true }
const visit = {}
let provider
let own
let origin
let proof

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.writeHead(500, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: error.message, code: error.code, cause: `${error.cause}` }))
  })
})

async function answer(request, response) {
  const url = new URL(request.url, origin)
  switch (url.pathname) {
    case '/login':
      response.writeHead(303, { location: (await startSignIn(Object.fromEntries(url.searchParams))).href })
      return response.end()
    case '/callback':
      return send(response, await finishSignIn(url))
    case '/refresh':
      return send(response, await refresh())
    case '/revoke':
      return send(response, await revoke())
    default:
      response.writeHead(404)
      response.end()
  }
}

// A provider that wants a nonce refuses the first proof and names it; the library's handle keeps it for the second one.
async function proved(call) {
  try {
    return await call({ DPoP: proof, ...INSECURE })
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    visit.nonces += 1
    return call({ DPoP: proof, ...INSECURE })
  }
}

async function startSignIn({ push, ...parameters }) {
  visit.verifier = oauth.generateRandomCodeVerifier()
  visit.state = oauth.generateRandomState()
  visit.nonce = oauth.generateRandomNonce()
  const url = new URL(provider.authorization_endpoint)
  const wanted = {
    client_id: own.client_id,
    response_type: 'code',
    redirect_uri: `${origin}/callback`,
    code_challenge: await oauth.calculatePKCECodeChallenge(visit.verifier),
    code_challenge_method: 'S256',
    state: visit.state,
    nonce: visit.nonce,
    ...parameters,
  }
  visit.nonces = 0
  const shown = push ? await pushRequest(wanted) : wanted
  for (const [name, value] of Object.entries(shown)) url.searchParams.set(name, value)
  return url
}

async function pushRequest(wanted) {
  const pushed = await proved(async (options) => {
    const response = await oauth.pushedAuthorizationRequest(provider, own, oauth.None(), wanted, options)
    return oauth.processPushedAuthorizationResponse(provider, own, response)
  })
  return { client_id: own.client_id, request_uri: pushed.request_uri }
}

async function finishSignIn(url) {
  const answered = oauth.validateAuthResponse(provider, own, url, visit.state)
  const checks = { expectedNonce: visit.nonce, requireIdToken: true }
  visit.tokens = await proved(async (options) => {
    const response = await oauth.authorizationCodeGrantRequest(
      provider, own, oauth.None(), answered, `${origin}/callback`, visit.verifier, options,
    )
    return oauth.processAuthorizationCodeResponse(provider, own, response, checks)
  })
  const claims = oauth.getValidatedIdTokenClaims(visit.tokens)
  const userinfo = await proved(async (options) => {
    const told = await oauth.userInfoRequest(provider, own, visit.tokens.access_token, options)
    return oauth.processUserInfoResponse(provider, own, claims.sub, told)
  })
  return { claims, userinfo, token_type: visit.tokens.token_type, nonces: visit.nonces }
}

async function refresh() {
  const before = visit.tokens.refresh_token
  visit.tokens = await proved(async (options) => {
    const response = await oauth.refreshTokenGrantRequest(provider, own, oauth.None(), before, options)
    return oauth.processRefreshTokenResponse(provider, own, response)
  })
  return { token_type: visit.tokens.token_type, refresh_token_is_new: visit.tokens.refresh_token !== before }
}

async function revoke() {
  const token = visit.tokens.refresh_token
  const response = await oauth.revocationRequest(provider, own, oauth.None(), token, INSECURE)
  await oauth.processRevocationResponse(response)
  const tried = await oauth.refreshTokenGrantRequest(provider, own, oauth.None(), token, { DPoP: proof, ...INSECURE })
  return { after: (await tried.json()).error }
}

function send(response, document) {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(document))
}

async function configure({ issuer, client_id }) {
  const found = await oauth.discoveryRequest(new URL(issuer), INSECURE)
  provider = await oauth.processDiscoveryResponse(new URL(issuer), found)
  own = { client_id }
  proof = oauth.DPoP(own, await oauth.generateKeyPair('ES256'))
  return { discovered: provider.issuer }
}

server.listen(0, '127.0.0.1', () => {
  origin = `http://127.0.0.1:${server.address().port}`
  console.log(JSON.stringify({ origin }))
})

createInterface({ input: process.stdin })
  .on('line', async (line) => console.log(JSON.stringify(await configure(JSON.parse(line)))))
  .on('close', () => server.close(() => process.exit(0)))
