//! What time it is elsewhere.
use jiff::civil::DateTime;

use crate::words::clock;
use crate::zone::Zone;

/// Places that tzdata does not name, each with the zone that has its time.
#[rustfmt::skip]
const PLACES: &[(&str, &str)] = &[
    ("San Francisco", "America/Los_Angeles"), ("San Diego", "America/Los_Angeles"), ("Seattle", "America/Los_Angeles"),
    ("Portland", "America/Los_Angeles"), ("Las Vegas", "America/Los_Angeles"), ("Sacramento", "America/Los_Angeles"),
    ("San Jose", "America/Los_Angeles"), ("Salt Lake City", "America/Denver"), ("Albuquerque", "America/Denver"),
    ("Santa Fe", "America/Denver"), ("El Paso", "America/Denver"), ("Tucson", "America/Phoenix"),
    ("Dallas", "America/Chicago"), ("Houston", "America/Chicago"), ("Austin", "America/Chicago"),
    ("San Antonio", "America/Chicago"), ("New Orleans", "America/Chicago"), ("Minneapolis", "America/Chicago"),
    ("St Louis", "America/Chicago"), ("Kansas City", "America/Chicago"), ("Nashville", "America/Chicago"),
    ("Boston", "America/New_York"), ("Washington", "America/New_York"), ("Washington DC", "America/New_York"),
    ("Philadelphia", "America/New_York"), ("Miami", "America/New_York"), ("Orlando", "America/New_York"),
    ("Atlanta", "America/New_York"), ("Pittsburgh", "America/New_York"), ("Cleveland", "America/New_York"),
    ("Charlotte", "America/New_York"), ("Baltimore", "America/New_York"), ("Buffalo", "America/New_York"),
    ("Montreal", "America/Toronto"), ("Ottawa", "America/Toronto"), ("Calgary", "America/Edmonton"),
    ("Rio", "America/Sao_Paulo"), ("Rio de Janeiro", "America/Sao_Paulo"), ("Buenos Aires", "America/Argentina/Buenos_Aires"),
    ("Munich", "Europe/Berlin"), ("Hamburg", "Europe/Berlin"), ("Frankfurt", "Europe/Berlin"), ("Cologne", "Europe/Berlin"),
    ("Milan", "Europe/Rome"), ("Naples", "Europe/Rome"), ("Venice", "Europe/Rome"), ("Florence", "Europe/Rome"),
    ("Barcelona", "Europe/Madrid"), ("Lyon", "Europe/Paris"), ("Geneva", "Europe/Zurich"), ("Kiev", "Europe/Kyiv"),
    ("Manchester", "Europe/London"), ("Birmingham", "Europe/London"), ("Edinburgh", "Europe/London"),
    ("Glasgow", "Europe/London"), ("Cardiff", "Europe/London"), ("Saint Petersburg", "Europe/Moscow"),
    ("Mumbai", "Asia/Kolkata"), ("Delhi", "Asia/Kolkata"), ("New Delhi", "Asia/Kolkata"), ("Bangalore", "Asia/Kolkata"),
    ("Chennai", "Asia/Kolkata"), ("Beijing", "Asia/Shanghai"), ("Shenzhen", "Asia/Shanghai"), ("Osaka", "Asia/Tokyo"),
    ("Kyoto", "Asia/Tokyo"), ("Hanoi", "Asia/Ho_Chi_Minh"), ("Saigon", "Asia/Ho_Chi_Minh"), ("Abu Dhabi", "Asia/Dubai"),
    ("Tel Aviv", "Asia/Jerusalem"), ("Cape Town", "Africa/Johannesburg"), ("Canberra", "Australia/Sydney"),
    ("Wellington", "Pacific/Auckland"),
    ("California", "America/Los_Angeles"), ("Oregon", "America/Los_Angeles"), ("Nevada", "America/Los_Angeles"),
    ("Washington State", "America/Los_Angeles"), ("Arizona", "America/Phoenix"), ("Colorado", "America/Denver"),
    ("New Mexico", "America/Denver"), ("Utah", "America/Denver"), ("Texas", "America/Chicago"), ("Illinois", "America/Chicago"),
    ("Florida", "America/New_York"), ("Ohio", "America/New_York"), ("Virginia", "America/New_York"),
    ("Massachusetts", "America/New_York"), ("Hawaii", "Pacific/Honolulu"), ("Alaska", "America/Anchorage"),
    ("Japan", "Asia/Tokyo"), ("China", "Asia/Shanghai"), ("India", "Asia/Kolkata"), ("South Korea", "Asia/Seoul"),
    ("Korea", "Asia/Seoul"), ("Thailand", "Asia/Bangkok"), ("Vietnam", "Asia/Ho_Chi_Minh"), ("the Philippines", "Asia/Manila"),
    ("Israel", "Asia/Jerusalem"), ("Turkey", "Europe/Istanbul"), ("Egypt", "Africa/Cairo"), ("Kenya", "Africa/Nairobi"),
    ("Nigeria", "Africa/Lagos"), ("South Africa", "Africa/Johannesburg"), ("New Zealand", "Pacific/Auckland"),
    ("Germany", "Europe/Berlin"), ("France", "Europe/Paris"), ("Italy", "Europe/Rome"), ("Spain", "Europe/Madrid"),
    ("Portugal", "Europe/Lisbon"), ("Austria", "Europe/Vienna"), ("Switzerland", "Europe/Zurich"), ("Poland", "Europe/Warsaw"),
    ("the Netherlands", "Europe/Amsterdam"), ("Holland", "Europe/Amsterdam"), ("Belgium", "Europe/Brussels"),
    ("Sweden", "Europe/Stockholm"), ("Norway", "Europe/Oslo"), ("Denmark", "Europe/Copenhagen"), ("Finland", "Europe/Helsinki"),
    ("Iceland", "Atlantic/Reykjavik"), ("Ireland", "Europe/Dublin"), ("England", "Europe/London"), ("Scotland", "Europe/London"),
    ("Wales", "Europe/London"), ("Britain", "Europe/London"), ("Great Britain", "Europe/London"), ("the UK", "Europe/London"),
    ("the United Kingdom", "Europe/London"), ("Greece", "Europe/Athens"), ("Ukraine", "Europe/Kyiv"),
    ("Argentina", "America/Argentina/Buenos_Aires"), ("Peru", "America/Lima"), ("Colombia", "America/Bogota"),
    ("Eastern time", "America/New_York"), ("Central time", "America/Chicago"), ("Mountain time", "America/Denver"),
    ("Pacific time", "America/Los_Angeles"), ("UTC", "UTC"), ("GMT", "UTC"), ("Greenwich", "UTC"), ("universal time", "UTC"),
];

/// Countries whose clocks do not agree.
const SEVERAL: [&str; 9] = [
    "australia",
    "brazil",
    "canada",
    "mexico",
    "russia",
    "america",
    "the united states",
    "the us",
    "indonesia",
];

/// The answer to "what time is it in Tokyo?"; `None` when nothing of that kind is asked. Both instants are now.
pub(super) fn answer(text: &str, now: DateTime, wall_ms: i64) -> Option<String> {
    let heads = [
        "what time is it now in ",
        "what time is it right now in ",
        "what time is it in ",
        "what's the time in ",
        "what is the time in ",
        "what's the current time in ",
        "what is the current time in ",
        "what's the local time in ",
        "tell me the time in ",
        "what day is it in ",
        "what's the date in ",
        "what is the date in ",
        "time in ",
    ];
    let named = heads.iter().find_map(|head| text.strip_prefix(head))?;
    let tails = [" right now", " at the moment", " now", " today"];
    let named = tails
        .iter()
        .find_map(|tail| named.strip_suffix(tail))
        .unwrap_or(named);
    if SEVERAL.contains(&named)
        || SEVERAL
            .iter()
            .any(|known| known.strip_prefix("the ") == Some(named))
    {
        return Some("There is more than one time there: name a city.".to_owned());
    }
    let Some((label, zone)) = zone(named) else {
        return Some("I do not know what time it is there.".to_owned());
    };
    let there = zone.local(wall_ms);
    let day = if there.date() == now.date() {
        String::new()
    } else {
        format!(" on {}", there.strftime("%A"))
    };
    let asks_day = text.starts_with("what day") || text.contains(" date in ");
    let time = if asks_day {
        there.strftime("%A, %B %-d").to_string()
    } else {
        format!("{}{day}", clock(there.time()))
    };
    let place = if label.ends_with(" time") || matches!(label.as_str(), "UTC" | "GMT") {
        format!("{time}, {label}")
    } else {
        format!("{time} in {label}")
    };
    Some(format!("It is {place}."))
}

/// A place's name as it is said, and its zone.
fn zone(named: &str) -> Option<(String, Zone)> {
    let bare = |name: &str| {
        let name = name.to_lowercase().replace('.', "");
        name.strip_prefix("the ").map(str::to_owned).unwrap_or(name)
    };
    let wanted = bare(named);
    let wanted = wanted
        .strip_suffix(" city")
        .filter(|_| wanted == "new york city")
        .unwrap_or(&wanted);
    if let Some((label, zone)) = PLACES.iter().find(|(label, _)| bare(label) == wanted) {
        return Some(((*label).to_owned(), Zone::named(zone).ok()?));
    }
    // "Pacific" alone is the time, not the ocean.
    if let Some((label, zone)) = PLACES.iter().find(|(label, _)| {
        label
            .strip_suffix(" time")
            .is_some_and(|label| bare(label) == wanted)
    }) {
        return Some(((*label).to_owned(), Zone::named(zone).ok()?));
    }
    Zone::names().into_iter().find_map(|name| {
        let (area, city) = name.rsplit_once('/')?;
        let label = city.replace('_', " ");
        let is_place = !matches!(
            area,
            "Etc" | "SystemV" | "US" | "Canada" | "Brazil" | "Mexico" | "Chile"
        );
        (is_place && label.to_lowercase() == wanted)
            .then(|| Some((label, Zone::named(&name).ok()?)))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_a_zone() {
        for (label, name) in PLACES {
            assert!(Zone::named(name).is_ok(), "{label}");
            assert!(zone(&label.to_lowercase()).is_some(), "{label}");
        }
        assert!(zone("new york city").is_some_and(|(label, _)| label == "New York"));
        assert!(zone("the kitchen").is_none());
    }
}
