//! Geodetic location (RFC 5491 §5): GML points and the shapes of the PIDF-LO profile, written for what a household can
//! state (point, circle) and for a service area (polygon), read for every shape.

use crate::raw::RawXml;
use crate::xml::{Element, Writer};

/// Namespace of GML 3.1.1.
pub const NS_GML: &str = "http://www.opengis.net/gml";
/// Namespace of the PIDF-LO shapes.
pub const NS_SHAPE: &str = "http://www.opengis.net/pidflo/1.0";
/// WGS 84, latitude and longitude (RFC 5491 §5).
pub const SRS_2D: &str = "urn:ogc:def:crs:EPSG::4326";
/// WGS 84, latitude, longitude and height (RFC 5491 §5).
pub const SRS_3D: &str = "urn:ogc:def:crs:EPSG::4979";
/// Metre, the one unit of length allowed (RFC 5491 §5.2).
pub const UOM_METRE: &str = "urn:ogc:def:uom:EPSG::9001";
/// Most positions of a polygon read. RFC 5491 §5.2.2 advises at most 16.
pub const POLYGON_POSITIONS_MAX: usize = 1_024;

/// A position: degrees north, degrees east, and metres above the ellipsoid when known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    latitude: f64,
    longitude: f64,
    altitude_m: Option<f64>,
}

/// Why a location is not geodetic, or not one this crate reads.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GeodeticError {
    /// Not finite, or outside ±90 and ±180 degrees.
    #[error(
        "latitude must lie in -90..=90 and longitude in -180..=180 degrees, altitude must be a number of metres"
    )]
    OutOfRange,
    /// Not two or three numbers.
    #[error("a position is two or three numbers, this has {count}")]
    Numbers {
        /// Numbers found.
        count: usize,
    },
    /// A number cannot be read.
    #[error("a coordinate is not a decimal number of degrees")]
    NotANumber,
    /// The radius is not a positive number of metres.
    #[error("the radius is not a positive number of metres")]
    Radius,
    /// A coordinate reference system other than EPSG 4326 and 4979 (`SRSInvalid` of RFC 5222 §13.1).
    #[error("the coordinate reference system is neither EPSG 4326 nor 4979")]
    Srs,
    /// A polygon of fewer than four positions, one that is not closed, or one with too many positions.
    #[error("a polygon has 4 to {POLYGON_POSITIONS_MAX} positions, the last equal to the first")]
    Polygon,
    /// Not a shape.
    #[error("no GML point or PIDF-LO shape")]
    NotAShape,
}

impl Position {
    /// A position on the ground plane.
    ///
    /// # Errors
    /// [`GeodeticError::OutOfRange`].
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, GeodeticError> {
        if latitude.is_finite()
            && longitude.is_finite()
            && latitude.abs() <= 90.0
            && longitude.abs() <= 180.0
        {
            Ok(Position {
                latitude,
                longitude,
                altitude_m: None,
            })
        } else {
            Err(GeodeticError::OutOfRange)
        }
    }

    /// The same with a height in metres above the WGS 84 ellipsoid.
    ///
    /// # Errors
    /// [`GeodeticError::OutOfRange`].
    pub fn with_altitude(self, altitude_m: f64) -> Result<Self, GeodeticError> {
        if altitude_m.is_finite() && altitude_m.abs() <= 1.0e7 {
            Ok(Position {
                altitude_m: Some(altitude_m),
                ..self
            })
        } else {
            Err(GeodeticError::OutOfRange)
        }
    }

    /// Degrees north.
    pub fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    pub fn longitude(&self) -> f64 {
        self.longitude
    }

    /// Metres above the ellipsoid.
    pub fn altitude_m(&self) -> Option<f64> {
        self.altitude_m
    }

    fn srs(&self) -> &'static str {
        if self.altitude_m.is_some() {
            SRS_3D
        } else {
            SRS_2D
        }
    }

    fn pos(&self) -> String {
        match self.altitude_m {
            Some(altitude) => format!("{} {} {}", self.latitude, self.longitude, altitude),
            None => format!("{} {}", self.latitude, self.longitude),
        }
    }

    /// Metres to another position along the great circle, on a sphere of the Earth's mean radius.
    pub fn distance_m(&self, other: &Position) -> f64 {
        const EARTH_RADIUS_M: f64 = 6_371_008.8;
        let (a, b) = (self.latitude.to_radians(), other.latitude.to_radians());
        let half_latitude = ((b - a) / 2.0).sin();
        let half_longitude = ((other.longitude - self.longitude).to_radians() / 2.0).sin();
        let chord =
            half_latitude * half_latitude + a.cos() * b.cos() * half_longitude * half_longitude;
        2.0 * EARTH_RADIUS_M * chord.clamp(0.0, 1.0).sqrt().asin()
    }
}

/// A shape of RFC 5491 §5.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A point: a position without stated uncertainty (§5.2.1).
    Point(Position),
    /// A circle: centre and radius in metres (§5.2.3).
    Circle {
        /// Centre, on the ground plane.
        centre: Position,
        /// Radius in metres.
        radius_m: f64,
    },
    /// A polygon: positions counter-clockwise, the last equal to the first (§5.2.2).
    Polygon(Vec<Position>),
    /// A shape this crate reads but does not compute with: ellipse, arc band, sphere, ellipsoid, prism.
    Other {
        /// Its name: `Ellipse`, `ArcBand`, `Sphere`, `Ellipsoid`, `Prism`.
        name: String,
        /// Its first position.
        anchor: Position,
        /// The element as it stood.
        xml: RawXml,
    },
}

impl Shape {
    /// A circle.
    ///
    /// # Errors
    /// [`GeodeticError::Radius`].
    pub fn circle(centre: Position, radius_m: f64) -> Result<Self, GeodeticError> {
        if radius_m.is_finite() && radius_m > 0.0 {
            Ok(Shape::Circle { centre, radius_m })
        } else {
            Err(GeodeticError::Radius)
        }
    }

    /// A polygon, closed here when it is open.
    ///
    /// # Errors
    /// [`GeodeticError::Polygon`].
    pub fn polygon(mut positions: Vec<Position>) -> Result<Self, GeodeticError> {
        if let (Some(first), Some(last)) = (positions.first().copied(), positions.last().copied())
            && first != last
        {
            positions.push(first);
        }
        if (4..=POLYGON_POSITIONS_MAX).contains(&positions.len()) {
            Ok(Shape::Polygon(positions))
        } else {
            Err(GeodeticError::Polygon)
        }
    }

    /// A position that stands for the shape: itself, the centre, the first corner.
    pub fn anchor(&self) -> Position {
        match self {
            Shape::Point(position) => *position,
            Shape::Circle { centre, .. } => *centre,
            Shape::Polygon(positions) => positions[0],
            Shape::Other { anchor, .. } => *anchor,
        }
    }

    /// Whether a position lies inside, on the ground plane. A polygon's edges are straight in degrees (RFC 5491 §5.2.2
    /// keeps them short), and its border counts as inside. Points and shapes without arithmetic contain nothing.
    pub fn contains(&self, position: &Position) -> bool {
        match self {
            Shape::Point(_) | Shape::Other { .. } => false,
            Shape::Circle { centre, radius_m } => centre.distance_m(position) <= *radius_m,
            Shape::Polygon(corners) => polygon_contains(corners, position),
        }
    }

    /// The LoST location profile and the PIDF-LO element.
    pub(crate) fn write(&self, writer: &mut Writer) {
        match self {
            Shape::Point(position) => {
                writer.open(
                    "gml:Point",
                    &[("xmlns:gml", NS_GML), ("srsName", position.srs())],
                );
                writer.leaf("gml:pos", &[], &position.pos());
                writer.close();
            }
            Shape::Circle { centre, radius_m } => {
                writer.open(
                    "gs:Circle",
                    &[
                        ("xmlns:gs", NS_SHAPE),
                        ("xmlns:gml", NS_GML),
                        ("srsName", SRS_2D),
                    ],
                );
                let flat = Position {
                    altitude_m: None,
                    ..*centre
                };
                writer.leaf("gml:pos", &[], &flat.pos());
                writer.leaf("gs:radius", &[("uom", UOM_METRE)], &radius_m.to_string());
                writer.close();
            }
            Shape::Polygon(positions) => {
                writer.open(
                    "gml:Polygon",
                    &[("xmlns:gml", NS_GML), ("srsName", positions[0].srs())],
                );
                writer.open("gml:exterior", &[]);
                writer.open("gml:LinearRing", &[]);
                for position in positions {
                    writer.leaf("gml:pos", &[], &position.pos());
                }
                writer.close();
                writer.close();
                writer.close();
            }
            Shape::Other { xml, .. } => writer.raw(&xml.standalone()),
        }
    }

    /// Reads a shape element; the coordinate reference system may be written in any of the ways the RFCs' figures do.
    pub(crate) fn read(element: &Element, document: &[u8]) -> Result<Self, GeodeticError> {
        check_srs(element)?;
        match element.name.as_str() {
            "Point" => Ok(Shape::Point(first_position(element)?)),
            "Circle" => {
                let radius = element.child("radius").ok_or(GeodeticError::Radius)?.text();
                let radius: f64 = radius.parse().map_err(|_| GeodeticError::Radius)?;
                Shape::circle(first_position(element)?, radius)
            }
            "Polygon" => Shape::polygon(all_positions(element)?),
            "Ellipse" | "ArcBand" | "Sphere" | "Ellipsoid" | "Prism" => Ok(Shape::Other {
                name: element.name.clone(),
                anchor: first_position(element)?,
                xml: RawXml::of(element, document),
            }),
            _ => Err(GeodeticError::NotAShape),
        }
    }
}

/// Crossings of a ray to the east; the border is inside.
fn polygon_contains(corners: &[Position], position: &Position) -> bool {
    let (x, y) = (position.longitude, position.latitude);
    let mut inside = false;
    for edge in corners.windows(2) {
        let (ax, ay) = (edge[0].longitude, edge[0].latitude);
        let (bx, by) = (edge[1].longitude, edge[1].latitude);
        let cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
        if cross == 0.0 && x >= ax.min(bx) && x <= ax.max(bx) && y >= ay.min(by) && y <= ay.max(by)
        {
            return true;
        }
        if (ay > y) != (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax) {
            inside = !inside;
        }
    }
    inside
}

/// Accepts every writing of 4326 and 4979 (`urn:ogc:def:crs:EPSG::4326`, `urn:ogc:def::crs:EPSG::4326`, `EPSG:4326`), and none at all.
fn check_srs(element: &Element) -> Result<(), GeodeticError> {
    match element.attribute("srsName") {
        None => Ok(()),
        Some(name) => match name.trim().rsplit([':', '#']).next() {
            Some("4326" | "4979") => Ok(()),
            _ => Err(GeodeticError::Srs),
        },
    }
}

fn first_position(element: &Element) -> Result<Position, GeodeticError> {
    if let Some(pos) = element.find("pos") {
        return position_of(&numbers(&pos.text())?);
    }
    let list = element.find("posList").ok_or(GeodeticError::NotAShape)?;
    let numbers = numbers(&list.text())?;
    let width = dimension(element, list, &numbers);
    position_of(numbers.get(..width).ok_or(GeodeticError::Numbers {
        count: numbers.len(),
    })?)
}

fn all_positions(element: &Element) -> Result<Vec<Position>, GeodeticError> {
    let ring = element.find("LinearRing").ok_or(GeodeticError::Polygon)?;
    let mut positions = Vec::new();
    for child in ring.elements() {
        match child.name.as_str() {
            "pos" => positions.push(position_of(&numbers(&child.text())?)?),
            "pointProperty" | "Point" => positions.push(first_position(child)?),
            "posList" => {
                let numbers = numbers(&child.text())?;
                let width = dimension(element, child, &numbers);
                for chunk in numbers.chunks(width) {
                    positions.push(position_of(chunk)?);
                }
            }
            _ => {}
        }
        if positions.len() > POLYGON_POSITIONS_MAX {
            return Err(GeodeticError::Polygon);
        }
    }
    Ok(positions)
}

/// Numbers a position: as the list or the reference system says, else what divides the list.
fn dimension(element: &Element, list: &Element, numbers: &[f64]) -> usize {
    match (list.attribute("srsDimension"), element.attribute("srsName")) {
        (Some("3"), _) => 3,
        (Some(_), _) => 2,
        (None, Some(srs)) if srs.trim().ends_with("4979") => 3,
        (None, Some(_)) => 2,
        (None, None) if !numbers.len().is_multiple_of(2) => 3,
        (None, None) => 2,
    }
}

fn numbers(text: &str) -> Result<Vec<f64>, GeodeticError> {
    text.split_ascii_whitespace()
        .take(3 * POLYGON_POSITIONS_MAX + 1)
        .map(|word| word.parse().map_err(|_| GeodeticError::NotANumber))
        .collect()
}

fn position_of(numbers: &[f64]) -> Result<Position, GeodeticError> {
    match *numbers {
        [latitude, longitude] => Position::new(latitude, longitude),
        [latitude, longitude, altitude] => {
            Position::new(latitude, longitude)?.with_altitude(altitude)
        }
        _ => Err(GeodeticError::Numbers {
            count: numbers.len(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Position {
        Position::new(latitude, longitude).unwrap()
    }

    #[test]
    fn a_polygon_contains_its_inside_and_its_border() {
        let square =
            Shape::polygon(vec![at(0.0, 0.0), at(0.0, 2.0), at(2.0, 2.0), at(2.0, 0.0)]).unwrap();
        assert!(square.contains(&at(1.0, 1.0)));
        assert!(square.contains(&at(0.0, 1.0)));
        assert!(square.contains(&at(2.0, 2.0)));
        assert!(!square.contains(&at(3.0, 1.0)));
        assert!(!square.contains(&at(1.0, -0.1)));
    }

    #[test]
    fn a_circle_contains_what_is_near() {
        let circle = Shape::circle(at(48.0, 11.0), 1_000.0).unwrap();
        assert!(circle.contains(&at(48.008, 11.0)));
        assert!(!circle.contains(&at(48.010, 11.0)));
    }

    #[test]
    fn impossible_positions_are_refused() {
        assert!(Position::new(90.1, 0.0).is_err());
        assert!(Position::new(0.0, f64::NAN).is_err());
        assert!(Shape::circle(at(0.0, 0.0), -1.0).is_err());
        assert!(Shape::polygon(vec![at(0.0, 0.0), at(1.0, 1.0)]).is_err());
    }
}
