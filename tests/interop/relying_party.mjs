// A relying party made of openid-client, unmodified, for tests/interop/test_openid_client.py.
//
// It prints one line of JSON when it listens, then reads one: {issuer, client_id, client_secret, method?}.
// /login starts a sign-in, /callback answers with what the library accepted, /logout ends it.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import * as client from 'openid-client'

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.writeHead(500, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: error.message, code: error.code, cause: `${error.cause}` }))
  })
})

const visit = {}
let config
let origin

async function answer(request, response) {
  const url = new URL(request.url, origin)
  switch (url.pathname) {
    case '/login':
      return redirect(response, await startSignIn(url.searchParams))
    case '/callback':
      return send(response, await finishSignIn(url))
    case '/refresh':
      return send(response, await refresh())
    case '/logout':
      return redirect(response, endSession())
    case '/signed-out':
      return send(response, { signed_out: true, state: url.searchParams.get('state') })
    default:
      response.writeHead(404)
      response.end()
  }
}

async function startSignIn(parameters) {
  visit.verifier = client.randomPKCECodeVerifier()
  visit.state = client.randomState()
  visit.nonce = client.randomNonce()
  return client.buildAuthorizationUrl(config, {
    redirect_uri: `${origin}/callback`,
    code_challenge: await client.calculatePKCECodeChallenge(visit.verifier),
    code_challenge_method: 'S256',
    state: visit.state,
    nonce: visit.nonce,
    ...Object.fromEntries(parameters),
  })
}

async function finishSignIn(url) {
  const tokens = await client.authorizationCodeGrant(config, url, {
    pkceCodeVerifier: visit.verifier,
    expectedState: visit.state,
    expectedNonce: visit.nonce,
    idTokenExpected: true,
  })
  const claims = tokens.claims()
  visit.tokens = tokens
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  return { claims, userinfo, scope: tokens.scope, expires_in: tokens.expires_in }
}

async function refresh() {
  visit.tokens = await client.refreshTokenGrant(config, visit.tokens.refresh_token)
  return { scope: visit.tokens.scope, claims: visit.tokens.claims() }
}

function endSession() {
  return client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: `${origin}/signed-out`,
    id_token_hint: visit.tokens.id_token,
    state: 'left',
  })
}

function redirect(response, url) {
  response.writeHead(303, { location: url.href })
  response.end()
}

function send(response, document) {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(document))
}

server.listen(0, '127.0.0.1', () => {
  origin = `http://127.0.0.1:${server.address().port}`
  console.log(JSON.stringify({ origin }))
})

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const { issuer, client_id, client_secret, method = 'ClientSecretBasic' } = JSON.parse(line)
    config = await client.discovery(
      new URL(issuer),
      client_id,
      undefined,
      client[method](client_secret),
      { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
    )
    console.log(JSON.stringify({ discovered: config.serverMetadata().issuer }))
  })
  .on('close', () => server.close(() => process.exit(0)))
