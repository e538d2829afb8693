//! Where a caller says to be, as a console can show it: the address by its parts, the shape on the ground.

use hearthline_emergency::geodetic::{Position, Shape};
use hearthline_emergency::pidf::PidfLo;
use serde::Serialize;

/// A caller's place.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Place {
    /// The address in one line.
    pub address: Option<String>,
    /// Its elements by their names in RFC 5139, in the order of its schema.
    pub civic: Vec<(&'static str, String)>,
    /// On the ground.
    pub shape: Option<Ground>,
    /// How each location came about (RFC 4119 §2.2.3), such as `Manual` or `GPS`.
    pub methods: Vec<String>,
}

/// Latitude and longitude in degrees, WGS 84.
pub type Degrees = [f64; 2];

/// A shape on the ground.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ground {
    /// A position without stated uncertainty.
    Point {
        /// Where.
        at: Degrees,
    },
    /// Somewhere in a circle.
    Circle {
        /// Its centre.
        at: Degrees,
        /// Its radius in metres.
        radius_m: f64,
    },
    /// Somewhere in a polygon.
    Polygon {
        /// Its corners, the last equal to the first.
        corners: Vec<Degrees>,
    },
    /// A shape that is not drawn: its name and first position.
    Other {
        /// Such as `Ellipse`.
        name: String,
        /// Where it begins.
        at: Degrees,
    },
}

impl Place {
    pub(crate) fn of(pidf: &PidfLo) -> Self {
        let civic = pidf.civic();
        Self {
            address: civic.map(hearthline_emergency::civic::CivicAddress::one_line),
            civic: civic.map_or_else(Vec::new, |civic| {
                let elements = civic.elements();
                elements
                    .map(|(element, value)| (element.name(), value.to_owned()))
                    .collect()
            }),
            shape: pidf.shape().map(Ground::of),
            methods: pidf
                .locations
                .iter()
                .filter_map(|location| location.method.clone())
                .collect(),
        }
    }
}

impl Ground {
    fn of(shape: &Shape) -> Self {
        let degrees = |position: &Position| [position.latitude(), position.longitude()];
        match shape {
            Shape::Point(position) => Self::Point {
                at: degrees(position),
            },
            Shape::Circle { centre, radius_m } => Self::Circle {
                at: degrees(centre),
                radius_m: *radius_m,
            },
            Shape::Polygon(corners) => Self::Polygon {
                corners: corners.iter().map(degrees).collect(),
            },
            Shape::Other { name, anchor, .. } => Self::Other {
                name: name.clone(),
                at: degrees(anchor),
            },
        }
    }
}
