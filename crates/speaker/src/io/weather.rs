//! The weather service of the owner's, in the shape of Open-Meteo: one GET for each question that the skill has.
use std::time::Duration;

use hearthline_skills::weather::ANSWER_BYTES_MAX;
use hearthline_transport::Reach;
use hyper::Method;
use serde_json::{Value, json};

use super::skills::Outside;
use super::web::{Asking, ask};

/// How long one answer may take. The person is answered sooner, out of what is kept; this is for the next question.
const WITHIN: Duration = Duration::from_secs(10);

/// Asks the service at this address for whatever the skill wants, until the skill is gone.
pub async fn serve(url: String, mut outside: Outside) {
    while let Some(wanted) = outside.asked.recv().await {
        let Some(query) = wanted["fetch"].as_str() else {
            continue;
        };
        let told = fetch(&url, query).await;
        let told = told.unwrap_or_else(|why| json!({ "why": why }));
        if outside.tell.send(told).await.is_err() {
            return;
        }
    }
}

async fn fetch(url: &str, query: &str) -> Result<Value, String> {
    let between = if url.contains('?') { '&' } else { '?' };
    let asking = Asking {
        method: Method::GET,
        url: &format!("{url}{between}{query}"),
        headers: &[("Accept", "application/json")],
        body: Vec::new(),
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    let answered = ask(asking, Reach::LoopbackOnly, WITHIN).await?;
    if answered.status != 200 {
        return Err(format!("it answered with status {}", answered.status));
    }
    let body = String::from_utf8(answered.body).map_err(|_| "its answer is no text".to_owned())?;
    Ok(json!({ "body": body }))
}
