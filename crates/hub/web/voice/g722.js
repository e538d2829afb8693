// G.722 at 64 kbit/s (ITU-T G.722 sections 3 to 6): what speakers record and play. The same arithmetic as media/src/g722.rs,
// where each block is explained; a test holds the two to the same octets and samples.

const QMF = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
const LOW_LEVELS = [35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919];
const LOW_INVERSE_4 = [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];
const LOW_INVERSE_6 = [
  -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464,
  -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576,
  6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];
const HIGH_INVERSE = [-7408, -1616, 7408, 1616];
const LOW_MULTIPLIERS = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const HIGH_MULTIPLIERS = [798, -214];
const ANTILOG = [2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008];

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const saturate = (value) => clamp(value, -32768, 32767);
const product = (a, b) => (a * b) >> 15;

class Band {
  constructor(scale) {
    Object.assign(this, { estimate: 0, estimateZeros: 0, reconstructed: [0, 0], poles: [0, 0], partial: [0, 0], differences: [0, 0, 0, 0, 0, 0], zeros: [0, 0, 0, 0, 0, 0], logScale: 0, scale });
  }

  adaptScale(multiplier, logMax, octave) {
    this.logScale = clamp(((this.logScale * 127) >> 7) + multiplier, 0, logMax);
    const mantissa = ANTILOG[(this.logScale >> 6) & 31];
    const shift = octave - (this.logScale >> 11);
    this.scale = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }

  adaptPredictor(difference) {
    const reconstructed = saturate(this.estimate + difference);
    const partial = saturate(this.estimateZeros + difference);
    const sameAsLast = partial < 0 === this.partial[0] < 0;
    const sameAsSecond = partial < 0 === this.partial[1] < 0;
    const first = saturate(this.poles[0] << 2);
    const turned = sameAsLast ? saturate(-first) : first;
    const secondPole = clamp((sameAsSecond ? 128 : -128) + (turned >> 7) + product(this.poles[1], 32512), -12288, 12288);
    const bound = saturate(15360 - secondPole);
    const firstPole = clamp(saturate((sameAsLast ? 192 : -192) + product(this.poles[0], 32640)), -bound, bound);
    const step = difference === 0 ? 0 : 128;
    for (let index = 0; index < 6; index += 1) {
      const signed = difference < 0 === this.differences[index] < 0 ? step : -step;
      this.zeros[index] = saturate(signed + product(this.zeros[index], 32640));
    }
    this.differences.pop();
    this.differences.unshift(difference);
    this.reconstructed = [reconstructed, this.reconstructed[0]];
    this.partial = [partial, this.partial[0]];
    this.poles = [firstPole, secondPole];
    const fromPoles = saturate(product(this.poles[0], saturate(2 * this.reconstructed[0])) + product(this.poles[1], saturate(2 * this.reconstructed[1])));
    this.estimateZeros = saturate(this.zeros.reduce((sum, zero, index) => sum + product(zero, saturate(2 * this.differences[index])), 0));
    this.estimate = saturate(fromPoles + this.estimateZeros);
  }

  adaptLow(code) {
    const upper = code >> 2;
    const difference = product(this.scale, LOW_INVERSE_4[upper]);
    const magnitude = upper === 0 || upper === 15 ? 0 : upper <= 7 ? 8 - upper : 15 - upper;
    this.adaptScale(LOW_MULTIPLIERS[magnitude], 18432, 8);
    this.adaptPredictor(difference);
  }

  adaptHigh(code) {
    const difference = product(this.scale, HIGH_INVERSE[code]);
    this.adaptScale(HIGH_MULTIPLIERS[code & 1], 22528, 10);
    this.adaptPredictor(difference);
  }
}

function filtered(history) {
  let [odd, even] = [0, 0];
  for (let index = 0; index < 12; index += 1) {
    odd += history[2 * index] * QMF[index];
    even += history[2 * index + 1] * QMF[11 - index];
  }
  return [odd, even];
}

/** 16-bit samples at 16 kHz, a pair an octet. */
export function encode(samples) {
  const [low, high, history] = [new Band(32), new Band(8), new Array(24).fill(0)];
  const octets = new Uint8Array(samples.length >> 1);
  for (let at = 0; at < octets.length; at += 1) {
    history.splice(0, 2);
    history.push(samples[2 * at], samples[2 * at + 1]);
    const [odd, even] = filtered(history);
    const lowCode = quantizeLow(low, (even + odd) >> 14);
    const highCode = quantizeHigh(high, (even - odd) >> 14);
    low.adaptLow(lowCode);
    high.adaptHigh(highCode);
    octets[at] = (highCode << 6) | lowCode;
  }
  return octets;
}

function quantizeLow({ estimate, scale }, sample) {
  const error = saturate(sample - estimate);
  const magnitude = error < 0 ? ~error : error;
  const found = LOW_LEVELS.findIndex((level) => magnitude < (level * scale) >> 12);
  const level = found < 0 ? LOW_LEVELS.length : found;
  if (error >= 0) return 61 - level;
  return level < 2 ? 63 - level : 33 - level;
}

function quantizeHigh({ estimate, scale }, sample) {
  const error = saturate(sample - estimate);
  const large = (error < 0 ? ~error : error) >= (564 * scale) >> 12;
  return error < 0 ? (large ? 0 : 1) : large ? 2 : 3;
}

/** Any octets; two samples at 16 kHz each. */
export function decode(octets) {
  const [low, high, history] = [new Band(32), new Band(8), new Array(24).fill(0)];
  const samples = new Int16Array(octets.length * 2);
  octets.forEach((octet, at) => {
    const [lowCode, highCode] = [octet & 0x3f, octet >> 6];
    const lower = clamp(low.estimate + product(low.scale, LOW_INVERSE_6[lowCode]), -16384, 16383);
    low.adaptLow(lowCode);
    const upper = clamp(high.estimate + product(high.scale, HIGH_INVERSE[highCode]), -16384, 16383);
    high.adaptHigh(highCode);
    history.splice(0, 2);
    history.push(lower + upper, lower - upper);
    const [second, first] = filtered(history);
    samples[2 * at] = saturate(first >> 11);
    samples[2 * at + 1] = saturate(second >> 11);
  });
  return samples;
}
