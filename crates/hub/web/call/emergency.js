// Emergency numbers of every country that the hub knows (emergency/src/numbers.rs; a test holds the two to each other).
// They are recognised before anything else looks at a number, in every script and spelling; foreign ones too.

const NUMBERS = new Set("000 061 062 080 091 100 101 102 104 105 107 108 110 111 112 113 115 117 118 119 120 122 133 140 144 15 150 1530 155 158 166 17 18 192 193 194 195 196 199 911 997 998 999".split(" "));
const ZEROS = [0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810];

/** A dialled text as plain digits, `*` and `#`; what only separates is left out. */
export function plainDigits(text) {
  let plain = "";
  for (const character of text.normalize("NFKC")) {
    const code = character.codePointAt(0);
    const zero = ZEROS.find((first) => code >= first && code < first + 10);
    if (zero !== undefined) plain += String(code - zero);
    else if (/[0-9*#]/.test(character)) plain += character;
    else if (/\p{Nd}/u.test(character)) plain += "?";
    else if (character === "+" && plain === "") plain += "+";
  }
  return plain;
}

/** Whether these digits reach a call-taker somewhere. */
export function isEmergency(text) {
  const digits = plainDigits(text.split(/[;@]/)[0].replace(/^(?:tel|sips?):/i, ""));
  return NUMBERS.has(digits) || NUMBERS.has(digits.replace(/^\+/, "")) || /urn:service:/i.test(text);
}
