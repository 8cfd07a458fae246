// The address that was probably meant, by the same rule as in the answer of an invite.

const SHORTEST_NAME = 5;

/**
 * @param {string} email
 * @param {string[]} providers
 * @returns {string | undefined} the address at a provider whose domain is one slip away
 */
export function didYouMean(email, providers) {
  const [, local, domain] =
    email
      .trim()
      .toLowerCase()
      .match(/^(.+)@([^@]+)$/) ?? [];
  if (!domain || providers.includes(domain)) return undefined;
  /** @param {string} provider */
  const isLong = (provider) => provider.indexOf('.') >= SHORTEST_NAME;
  const provider = providers.find((provider) => isLong(provider) && isOneSlipAway(domain, provider));
  return provider && `${local}@${provider}`;
}

/**
 * A character too much, one missing, another one, or two in the wrong order.
 *
 * @type {(a: string, b: string) => boolean}
 */
function isOneSlipAway(a, b) {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  return (
    restA.slice(1) === restB.slice(1) ||
    restA.slice(1) === restB ||
    restA === restB.slice(1) ||
    (restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2))
  );
}
