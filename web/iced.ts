/** iced-x86 as a module of its own, for what loads the rest of the sources one by one. */
export { default } from "iced-x86";
