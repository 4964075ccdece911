/** An hour with its article: "la 1:05 p. m.", "las 2:05 p. m.", of what `Grammar.time` gives. */
export const hourWithArticle = (time: string): string => `${time.startsWith("1:") ? "la" : "las"} ${time}`;
