import style from "./person.module.css";

/** The colour of a person, as on their tile; 0 to 7. */
export const personClass = (colour: number): string | undefined => style[`person${colour}`];
