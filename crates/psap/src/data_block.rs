//! A block of additional data (RFC 7852) as a console can show it: a title and named values.

use hearthline_emergency::additional::{Block, VCard};
use serde::Serialize;

/// Longest value of a block, in characters.
const VALUE_CHARS_MAX: usize = 2_000;

/// One block, readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DataBlock {
    /// Which: the name in RFC 7852, such as `DeviceInfo`.
    pub kind: &'static str,
    /// What it says: name and value, nothing empty.
    pub fields: Vec<(&'static str, String)>,
}

impl DataBlock {
    pub(crate) fn of(block: &Block) -> Self {
        let mut fields = Vec::new();
        let mut put = |name: &'static str, value: &str| {
            let value = value.trim();
            if !value.is_empty() {
                fields.push((name, value.chars().take(VALUE_CHARS_MAX).collect()));
            }
        };
        match block {
            Block::ProviderInfo(info) => {
                put("Provider", &info.name);
                put("Kind of provider", &info.type_of_provider);
                put("Contact", &info.contact_uri);
                put("Languages", &info.languages.join(", "));
                put(
                    "Provider’s number",
                    info.provider_id.as_deref().unwrap_or(""),
                );
                if let Some(contact) = &info.contact {
                    put_card(contact, &mut put);
                }
            }
            Block::ServiceInfo(info) => {
                put("Environment", info.environment.as_deref().unwrap_or(""));
                put("Service", &info.types.join(", "));
                put("Mobility", &info.mobility);
            }
            Block::DeviceInfo(info) => {
                put("Kind", info.classification.as_deref().unwrap_or(""));
                put("Maker", info.manufacturer.as_deref().unwrap_or(""));
                put("Model", info.model.as_deref().unwrap_or(""));
                for id in &info.ids {
                    put("Device’s mark", &format!("{} {}", id.kind, id.value));
                }
            }
            Block::SubscriberInfo(info) => {
                put_card(&info.subscriber, &mut put);
                if info.privacy_requested {
                    put("Privacy", "asked for");
                }
            }
            Block::Comment(info) => {
                for comment in &info.comments {
                    put("Remark", &comment.text);
                }
            }
        }
        Self {
            kind: block.kind().name(),
            fields,
        }
    }
}

fn put_card(card: &VCard, put: &mut impl FnMut(&'static str, &str)) {
    put("Name", &card.full_name);
    for address in &card.addresses {
        let parts = [
            &address.street,
            &address.locality,
            &address.region,
            &address.code,
            &address.country,
        ];
        let parts: Vec<&str> = parts
            .into_iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        put("Address", &parts.join(", "));
    }
    for telephone in &card.telephones {
        put("Telephone", telephone);
    }
    for email in &card.emails {
        put("Mail", email);
    }
    put("Languages", &card.languages.join(", "));
}
