//! A service that the hub posts to: ntfy, a webhook, a browser's push service.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::agreement::{ECDH_P256, EphemeralPrivateKey};
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Takes requests whole, as bytes, and answers each with this status.
pub async fn receiver(status: &'static str) -> (SocketAddr, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requests) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
                loop {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    if let Some(head) = text.find("\r\n\r\n") {
                        let length = text[..head]
                            .lines()
                            .find_map(|line| line.strip_prefix("content-length: "))
                            .map_or(0, |length| length.parse().unwrap());
                        if bytes.len() >= head + 4 + length {
                            break;
                        }
                    }
                    match stream.read(&mut buffer).await {
                        Ok(length) if length > 0 => bytes.extend_from_slice(&buffer[..length]),
                        _ => return,
                    }
                }
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = sender.send(bytes).await;
            });
        }
    });
    (address, requests)
}

pub async fn arrived(requests: &mut mpsc::Receiver<Vec<u8>>) -> String {
    let bytes = tokio::time::timeout(Duration::from_secs(30), requests.recv());
    String::from_utf8(bytes.await.expect("it arrives").unwrap()).unwrap()
}

/// Head and body of the next request, whatever the body is.
pub async fn raw(requests: &mut mpsc::Receiver<Vec<u8>>) -> (String, Vec<u8>) {
    let bytes = tokio::time::timeout(Duration::from_secs(30), requests.recv()).await;
    let bytes = bytes.expect("it arrives").unwrap();
    let mut fours = bytes.windows(4);
    let end = fours.position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    (head, bytes[end + 4..].to_vec())
}

/// A browser's keys, as it sends them to be pushed to.
pub fn browser_keys() -> Value {
    let browser = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
    let point = URL_SAFE_NO_PAD.encode(browser.compute_public_key().unwrap().as_ref());
    json!({"p256dh": point, "auth": URL_SAFE_NO_PAD.encode([7; 16])})
}
