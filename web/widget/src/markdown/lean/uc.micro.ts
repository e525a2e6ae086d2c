/** Stands in for the package `uc.micro`: the engine's own Unicode classes. */
export const P = /\p{P}/u;
export const S = /\p{S}/u;
