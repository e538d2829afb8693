//! Colours by name, and as lamps want them.
use crate::command::Rgb;

/// Names as CSS Color 4 section 6.1 has them, and the two that people say for those.
const NAMES: &[(&str, Rgb)] = &[
    ("amber", [255, 191, 0]),
    ("aqua", [0, 255, 255]),
    ("aquamarine", [127, 255, 212]),
    ("azure", [240, 255, 255]),
    ("beige", [245, 245, 220]),
    ("blue", [0, 0, 255]),
    ("brown", [165, 42, 42]),
    ("chartreuse", [127, 255, 0]),
    ("coral", [255, 127, 80]),
    ("crimson", [220, 20, 60]),
    ("cyan", [0, 255, 255]),
    ("dark blue", [0, 0, 139]),
    ("dark green", [0, 100, 0]),
    ("dark orange", [255, 140, 0]),
    ("dark red", [139, 0, 0]),
    ("fuchsia", [255, 0, 255]),
    ("gold", [255, 215, 0]),
    ("green", [0, 128, 0]),
    ("indigo", [75, 0, 130]),
    ("ivory", [255, 255, 240]),
    ("khaki", [240, 230, 140]),
    ("lavender", [230, 230, 250]),
    ("light blue", [173, 216, 230]),
    ("light green", [144, 238, 144]),
    ("lilac", [200, 162, 200]),
    ("lime", [0, 255, 0]),
    ("magenta", [255, 0, 255]),
    ("maroon", [128, 0, 0]),
    ("navy", [0, 0, 128]),
    ("olive", [128, 128, 0]),
    ("orange", [255, 165, 0]),
    ("orchid", [218, 112, 214]),
    ("peach", [255, 218, 185]),
    ("pink", [255, 192, 203]),
    ("plum", [221, 160, 221]),
    ("purple", [128, 0, 128]),
    ("red", [255, 0, 0]),
    ("salmon", [250, 128, 114]),
    ("silver", [192, 192, 192]),
    ("sky blue", [135, 206, 235]),
    ("tan", [210, 180, 140]),
    ("teal", [0, 128, 128]),
    ("tomato", [255, 99, 71]),
    ("turquoise", [64, 224, 208]),
    ("violet", [238, 130, 238]),
    ("white", [255, 255, 255]),
    ("yellow", [255, 255, 0]),
];

/// The colour of a name. Black is none: a lamp that shows it is off.
#[must_use]
pub fn named(name: &str) -> Option<Rgb> {
    let name = name.trim().to_lowercase().replace(['-', '_'], " ");
    let at = NAMES.binary_search_by(|(known, _)| (*known).cmp(name.as_str()));
    at.ok().map(|at| NAMES[at].1)
}

/// As CIE 1931 x and y, by the wide gamut matrix that Philips publishes for its lamps; rounded to four places.
#[must_use]
pub fn xy(rgb: Rgb) -> (f64, f64) {
    let [r, g, b] = rgb.map(|part| {
        let part = f64::from(part) / 255.0;
        if part > 0.040_45 {
            ((part + 0.055) / 1.055).powf(2.4)
        } else {
            part / 12.92
        }
    });
    let x = r * 0.664_511 + g * 0.154_324 + b * 0.162_028;
    let y = r * 0.283_881 + g * 0.668_433 + b * 0.047_685;
    let z = r * 0.000_088 + g * 0.072_310 + b * 0.986_039;
    let sum = x + y + z;
    if sum <= 0.0 {
        return (0.0, 0.0);
    }
    let round = |part: f64| (part / sum * 10_000.0).round() / 10_000.0;
    (round(x), round(y))
}

/// Kelvin as mireds: a million divided by them.
#[must_use]
pub fn mireds(kelvin: u16) -> u16 {
    let mireds = 1_000_000 / u32::from(kelvin.max(16));
    u16::try_from(mireds).unwrap_or(u16::MAX)
}

/// Mireds as kelvin.
#[must_use]
pub fn kelvin(mireds: f64) -> Option<u16> {
    let kelvin = (1_000_000.0 / mireds).round();
    (1_000.0..=20_000.0)
        .contains(&kelvin)
        .then_some(kelvin as u16)
}

/// The colour of a black body so hot, for lamps without a white of their own: between points of Planck's curve in sRGB.
#[must_use]
pub fn of_kelvin(kelvin: u16) -> Rgb {
    const POINTS: [(u16, Rgb); 8] = [
        (1_000, [255, 56, 0]),
        (1_900, [255, 131, 0]),
        (2_700, [255, 169, 87]),
        (3_500, [255, 196, 137]),
        (4_500, [255, 219, 186]),
        (5_500, [255, 236, 224]),
        (6_600, [255, 255, 255]),
        (12_000, [191, 211, 255]),
    ];
    let kelvin = kelvin.clamp(POINTS[0].0, POINTS[7].0);
    let above = POINTS
        .iter()
        .position(|(at, _)| *at >= kelvin)
        .unwrap_or(7)
        .max(1);
    let ((low, from), (high, to)) = (POINTS[above - 1], POINTS[above]);
    let share = f64::from(kelvin - low) / f64::from(high - low);
    core::array::from_fn(|at| {
        let (from, to) = (f64::from(from[at]), f64::from(to[at]));
        (from + (to - from) * share).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_order_and_are_found() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| *name));
        for said in [
            "white",
            "red",
            "orange",
            "yellow",
            "green",
            "blue",
            "purple",
            "brown",
            "pink",
            "turquoise",
        ] {
            assert!(named(said).is_some(), "{said}");
        }
        assert_eq!(named(" Sky-Blue "), Some([135, 206, 235]));
        assert_eq!((named("black"), named("")), (None, None));
    }

    #[test]
    fn lamps_get_the_point_of_the_chart() {
        let (x, y) = xy([255, 0, 0]);
        assert!(
            (x - 0.700_6).abs() < 0.000_2 && (y - 0.299_3).abs() < 0.000_2,
            "{x} {y}"
        );
        let (x, y) = xy([255, 255, 255]);
        assert!(
            (x - 0.3227).abs() < 0.001 && (y - 0.3290).abs() < 0.001,
            "{x} {y}"
        );
        assert_eq!(xy([0, 0, 0]), (0.0, 0.0));
        assert_eq!(
            (mireds(2_700), kelvin(370.0), kelvin(0.0)),
            (370, Some(2_703), None)
        );
        assert_eq!(mireds(0), 62_500);
        assert_eq!(of_kelvin(6_600), [255; 3]);
        assert_eq!(
            (of_kelvin(0), of_kelvin(u16::MAX)),
            ([255, 56, 0], [191, 211, 255])
        );
        assert_eq!(of_kelvin(2_700), [255, 169, 87]);
    }
}
