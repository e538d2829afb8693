//! One request on a socket, and what comes back until the server closes.

use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Serves it on a free port of loopback, sends one request there, and reads the answer to its end.
pub(crate) async fn ask(router: Router, request: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("on loopback");
    let address = listener.local_addr().expect("on loopback");
    let served = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut stream = TcpStream::connect(address).await.expect("on loopback");
    let request =
        format!("{request}\r\nconnection: close\r\n\r\n").replace("HERE", &address.to_string());
    stream
        .write_all(request.as_bytes())
        .await
        .expect("on loopback");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("on loopback");
    served.abort();
    answer
}
