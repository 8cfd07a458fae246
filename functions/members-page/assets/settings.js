// What the deployment tells the page: the meta elements of the document.

/** @param {string} name */
function text(name) {
  /** @type {HTMLMetaElement | null} */
  const meta = document.querySelector(`meta[name="${name}"]`);
  return meta?.content ?? '';
}

export const settings = Object.freeze({
  product: text('product'),
  productUrl: text('product-url'),
  support: text('support'),
  /** The OpenID provider, exactly as ID tokens name it. */
  issuer: text('issuer'),
  clientId: text('client-id'),
  scopes: text('scopes'),
  /** In seconds. */
  resendCooldown: Number(text('resend-cooldown')),
  /** The group of support staff, and the claim that names a person's groups. */
  supportGroup: text('support-group'),
  supportGroupClaim: text('support-group-claim'),
  mailProviders: text('mail-providers').split(' '),
});
