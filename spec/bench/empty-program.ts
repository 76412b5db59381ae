/** Nothing: what Node takes for a program that does nothing. */
export {};
