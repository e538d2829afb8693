//! A language model of the owner's, in the shape of OpenAI's `/v1/chat/completions`: one POST for each question.
use std::path::PathBuf;
use std::time::Duration;

use hearthline_skills::model::ANSWER_BYTES_MAX;
use hearthline_transport::Reach;
use hyper::Method;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::skills::Outside;
use super::web::{Asking, ask};

/// Largest file with a key, in bytes.
const KEY_BYTES_MAX: usize = 4_096;

/// Where the model is asked.
#[derive(Debug, Clone)]
pub struct ModelPlace {
    /// `http://127.0.0.1:11434/v1/chat/completions`
    pub url: String,
    /// A file with the key that is sent, if one is.
    pub key_file: Option<PathBuf>,
    /// How long one answer may take.
    pub within: Duration,
}

/// Asks the model whatever the skill wants, one after the other, until the skill is gone.
pub async fn serve(place: ModelPlace, mut outside: Outside) {
    while let Some(wanted) = outside.asked.recv().await {
        let token = &wanted["token"];
        let told = match post(&place, &wanted["ask"]).await {
            Ok(body) => json!({ "token": token, "body": body }),
            Err(why) => json!({ "token": token, "why": why }),
        };
        if outside.tell.send(told).await.is_err() {
            return;
        }
    }
}

async fn post(place: &ModelPlace, body: &Value) -> Result<String, String> {
    let bearer = match &place.key_file {
        Some(file) => {
            let read = tokio::task::spawn_blocking({
                let file = file.clone();
                move || std::fs::read_to_string(file)
            });
            let key = read.await.map_err(|error| error.to_string())?;
            let key = Zeroizing::new(key.map_err(|error| format!("its key: {error}"))?);
            if key.len() > KEY_BYTES_MAX {
                return Err("its key is too long".into());
            }
            Some(Zeroizing::new(format!("Bearer {}", key.trim())))
        }
        None => None,
    };
    let mut headers = vec![
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
    ];
    if let Some(bearer) = &bearer {
        headers.push(("Authorization", bearer.as_str()));
    }
    let asking = Asking {
        method: Method::POST,
        url: &place.url,
        headers: &headers,
        body: body.to_string().into_bytes(),
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    let answered = ask(asking, Reach::LoopbackOnly, place.within).await?;
    if answered.status != 200 {
        return Err(format!("it answered with status {}", answered.status));
    }
    String::from_utf8(answered.body).map_err(|_| "its answer is no text".to_owned())
}
