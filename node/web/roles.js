// The roles of accounts, each of which may do what those before it may.
const ROLES = ['public', 'viewer', 'operator', 'admin'];


// Those that an account or token may have, up to one's own.
export function rolesUpTo(role) {
    return ROLES.slice(1, ROLES.indexOf(role) + 1);
}

export function hasRole(role, wanted) {
    return ROLES.indexOf(role) >= ROLES.indexOf(wanted);
}
