// The roles of accounts, each of which may do what those before it may.
const ROLES = ['public', 'viewer', 'operator', 'admin'];

export const ACCOUNT_ROLES = ROLES.slice(1);

export function hasRole(role, wanted) {
    return ROLES.indexOf(role) >= ROLES.indexOf(wanted);
}
