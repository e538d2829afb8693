//! Numbers that are reckoned exactly: fractions of whole numbers, so that a tenth three times is three tenths.

/// Largest numerator and denominator that go into a product.
const PARTS_MAX: i128 = 1 << 62;
/// Places that a root is reckoned to.
const ROOT_PLACES: u32 = 9;
/// Largest power that is taken.
const POWER_MAX: i128 = 64;
/// From this number of digits on, groups of three are told apart.
const GROUPED_FROM: usize = 5;

/// A number, exact unless a root without an end went into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exact {
    top: i128,
    /// Above zero, without a part in common with `top`.
    below: i128,
    about: bool,
}

impl Exact {
    pub(super) const ONE: Self = Self::whole(1);

    pub(super) const fn whole(number: i128) -> Self {
        Self {
            top: number,
            below: 1,
            about: false,
        }
    }

    /// A fraction; none for one of nothing, or beyond what is reckoned.
    pub(super) fn new(top: i128, below: i128) -> Option<Self> {
        if below == 0 {
            return None;
        }
        let part = common(top.unsigned_abs(), below.unsigned_abs());
        let part = i128::try_from(part).ok()?.max(1);
        let sign = below.signum();
        let (top, below) = (top / part * sign, below / part * sign);
        (top.abs() <= PARTS_MAX && below <= PARTS_MAX).then_some(Self {
            top,
            below,
            about: false,
        })
    }

    /// "3.14159", "5/18".
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some((top, below)) = text.split_once('/') {
            return Self::parse(top)?.over(Self::parse(below)?);
        }
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() + part.len() > 18 || !digits(whole) || !digits(part) {
            return None;
        }
        let places = u32::try_from(part.len()).ok()?;
        Self::new(format!("{whole}{part}").parse().ok()?, 10_i128.pow(places))
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let top = (self.top * other.below).checked_add(other.top * self.below)?;
        Some(Self::new(top, self.below * other.below)?.about(self.about || other.about))
    }

    pub(super) fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negative())
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        let product = Self::new(self.top * other.top, self.below * other.below)?;
        Some(product.about(self.about || other.about))
    }

    /// None where the other is nothing, too.
    pub(super) fn over(self, other: Self) -> Option<Self> {
        let quotient = Self::new(self.top * other.below, self.below * other.top)?;
        Some(quotient.about(self.about || other.about))
    }

    /// To a whole power; none for others, but the half is the root.
    pub(super) fn power(self, other: Self) -> Option<Self> {
        if (other.top, other.below) == (1, 2) {
            return self.root();
        }
        if other.below != 1 || other.top.abs() > POWER_MAX {
            return None;
        }
        let mut product = Self::ONE;
        for _ in 0..other.top.abs() {
            product = product.times(self)?;
        }
        if other.top < 0 {
            product = Self::ONE.over(product)?;
        }
        Some(product)
    }

    /// The square root; none below zero.
    pub(super) fn root(self) -> Option<Self> {
        let of = u128::try_from(self.top).ok()?;
        let below = u128::try_from(self.below).ok()?;
        let (top, under) = (of.isqrt(), below.isqrt());
        if top * top == of && under * under == below {
            let root = Self::new(i128::try_from(top).ok()?, i128::try_from(under).ok()?)?;
            return Some(root.about(self.about));
        }
        let scale = 10_i128.pow(ROOT_PLACES);
        let near = (self.top as f64 / self.below as f64).sqrt() * scale as f64;
        if !near.is_finite() || near >= PARTS_MAX as f64 {
            return None;
        }
        Some(Self::new(near.round() as i128, scale)?.about(true))
    }

    pub(super) fn negative(self) -> Self {
        Self {
            top: -self.top,
            ..self
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self.top == 0
    }

    pub(super) fn is_below_zero(self) -> bool {
        self.top < 0
    }

    fn about(self, about: bool) -> Self {
        Self { about, ..self }
    }

    /// As it is said: exact where it ends within so many places, else rounded, and then "about".
    pub(super) fn said(self, places_max: u32) -> String {
        let scale = 10_i128.pow(places_max);
        let ends = !self.about && (scale % self.below == 0 || (self.top * scale) % self.below == 0);
        let minus = if self.top < 0 { "minus " } else { "" };
        if ends {
            return format!("{minus}{}", self.rounded(places_max));
        }
        // Two places, or three figures of what is smaller than one.
        let mut places = 2;
        let mut size = self.top.abs() * 100;
        while size < self.below * 100 && places < 12 && size > 0 {
            size *= 10;
            places += 1;
        }
        format!("about {minus}{}", self.rounded(places))
    }

    /// Without sign, rounded half up, without zeros behind.
    fn rounded(self, places: u32) -> String {
        let scale = 10_i128.pow(places);
        let below = self.below;
        let scaled = (self.top.abs() * scale + below / 2) / below;
        let (whole, part) = (scaled / scale, scaled % scale);
        let whole = grouped(&whole.to_string());
        let part = format!("{part:0width$}", width = places as usize);
        match part.trim_end_matches('0') {
            "" => whole,
            _ if places == 0 => whole,
            part => format!("{whole}.{part}"),
        }
    }
}

/// "12,345", but "1234": a year or a short number is not cut.
fn grouped(digits: &str) -> String {
    if digits.len() < GROUPED_FROM {
        return digits.to_owned();
    }
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn common(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_three_times_is_three_tenths_and_a_third_three_times_is_one() {
        let tenth = Exact::parse("0.1").unwrap();
        let three = Exact::whole(3);
        assert_eq!(tenth.times(three), Exact::parse("0.3"));
        let third = Exact::ONE.over(three).unwrap();
        assert_eq!(third.times(three), Some(Exact::ONE));
        assert_eq!(third.said(6), "about 0.333");
        assert_eq!(Exact::whole(2).root().unwrap().said(6), "about 1.41");
        assert_eq!(Exact::parse("0.25").unwrap().root().unwrap().said(6), "0.5");
        assert_eq!(Exact::whole(-1_234_567).said(6), "minus 1,234,567");
        assert_eq!(
            Exact::parse("0.00001234").unwrap().said(3),
            "about 0.0000123"
        );
    }

    proptest::proptest! {
        #[test]
        fn sums_agree_with_whole_numbers_and_nothing_panics(a in -1_000_000_i128..1_000_000, b in 1_i128..100_000, c in -1_000_i128..1_000) {
            let (x, y) = (Exact::new(a, b).unwrap(), Exact::new(c, b).unwrap());
            proptest::prop_assert_eq!(x.plus(y), Exact::new(a + c, b));
            proptest::prop_assert_eq!(x.times(y), Exact::new(a * c, b * b));
            proptest::prop_assert_eq!(x.minus(y).and_then(|z| z.plus(y)), Some(x));
            let _ = (x.said(3), x.root().map(|root| root.said(6)), x.power(y));
        }

        #[test]
        fn huge_numbers_are_refused(a in proptest::num::i128::ANY, b in proptest::num::i128::ANY) {
            if let (Some(x), Some(y)) = (Exact::new(a, 7), Exact::new(b, 11)) {
                let _ = (x.plus(y), x.minus(y), x.times(y), x.over(y), x.power(y), x.root(), x.said(6));
            }
        }
    }
}
