// A real OpenID provider for the tests: one client, whoever signs in is whom the form names.
import Provider from "oidc-provider";
import http from "node:http";

const [redirect, clientId, clientSecret] = process.argv.slice(2);
const server = http.createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [redirect],
      response_types: ["code"],
      grant_types: ["authorization_code"],
    }],
    pkce: { required: () => true },
    cookies: { keys: ["for the tests alone"] },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: "ops.maker@example.com" }) }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
