//! The light orders that wait at the hub.
use serde::Deserialize;

use super::super::api::Client;
use super::requests::LIGHT_ORDERS;
use crate::light_order::{LightOrder, LightSet};

/// Most that are looked at at once.
const ORDERS_MAX: usize = 64;

#[derive(Deserialize)]
struct Waiting {
    id: String,
    order: Order,
}

#[derive(Deserialize)]
struct Order {
    light: Option<String>,
    room: Option<String>,
    set: Set,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Set {
    On,
    Off,
    Brightness(u8),
    Colour(String),
}

/// Those of this device. A hub that is older than they are has none.
pub(super) async fn waiting(client: &mut Client) -> Result<Vec<LightOrder>, String> {
    let answer = client.send(hyper::Method::GET, LIGHT_ORDERS, None).await?;
    if matches!(answer.status.as_u16(), 403..=405) {
        return Ok(Vec::new());
    }
    if !answer.status.is_success() {
        return Err(format!("light orders: the hub says {}", answer.status));
    }
    let mut orders = read(&answer.body)?;
    orders.truncate(ORDERS_MAX);
    Ok(orders)
}

fn read(body: &[u8]) -> Result<Vec<LightOrder>, String> {
    // One that is of another kind than these is no reason to leave the others.
    let all: Vec<serde_json::Value> =
        serde_json::from_slice(body).map_err(|error| format!("light orders: {error}"))?;
    let known = all
        .into_iter()
        .filter_map(|one| Waiting::deserialize(one).ok());
    let order = |Waiting { id, order }| LightOrder {
        id,
        light: order.light,
        room: order.room,
        set: match order.set {
            Set::On => LightSet::On,
            Set::Off => LightSet::Off,
            Set::Brightness(percent) => LightSet::Brightness(percent),
            Set::Colour(name) => LightSet::Colour(name),
        },
    };
    Ok(known.map(order).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_values_of_four_kinds_and_what_is_none_of_them_is_left() {
        let body = br#"[
            {"id": "a", "order": {"light": "Desk", "room": null, "set": {"brightness": 40}}},
            {"id": "b", "order": {"light": null, "room": "Hall", "set": "off"}, "more": 1},
            {"id": "c", "order": {"set": {"call": "911"}}},
            {"id": "d", "order": {"set": {"colour": "blue"}}}
        ]"#;
        let orders = read(body).unwrap();
        let seen: Vec<(&str, &LightSet)> = orders.iter().map(|one| (&*one.id, &one.set)).collect();
        let blue = LightSet::Colour("blue".to_owned());
        let wanted = [
            ("a", &LightSet::Brightness(40)),
            ("b", &LightSet::Off),
            ("d", &blue),
        ];
        assert_eq!(seen, wanted);
        assert!(read(b"{}").is_err());
    }
}
