//! Cards that go to the server: each only where it is as we know it (RFC 6352 section 6.3.2, RFC 9110 section 13.1).

use hyper::Request;

use super::{ANSWER_TIME_MAX, CarddavError, Client, Server, state, whole};

/// On which condition a member is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected<'a> {
    /// It is there, with this etag.
    Etag(&'a str),
    /// It is not there yet.
    Absent,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// The server has it so. No etag: it has changed it on the way, and the next reading says how.
    Done(Option<String>),
    /// It is not as was expected: somebody else has written it in the meantime.
    Otherwise,
}

/// Puts a card (vCard 3.0) at a member's path.
///
/// # Errors
/// [`CarddavError`]; nothing was written then, as far as the server says.
pub async fn put(
    server: &Server,
    href: &str,
    expected: Expected<'_>,
    card: &str,
) -> Result<Written, CarddavError> {
    write(server, "PUT", href, expected, Some(card)).await
}

/// Removes a member. One that is gone already is done.
///
/// # Errors
/// [`CarddavError`].
pub async fn delete(server: &Server, href: &str, etag: &str) -> Result<Written, CarddavError> {
    write(server, "DELETE", href, Expected::Etag(etag), None).await
}

async fn write(
    server: &Server,
    method: &'static str,
    href: &str,
    expected: Expected<'_>,
    card: Option<&str>,
) -> Result<Written, CarddavError> {
    let client = Client::connect(server).await?;
    let asking = tokio::time::timeout(ANSWER_TIME_MAX, send(client, method, href, expected, card));
    match asking.await {
        Ok(answer) => answer,
        Err(_) => Err(CarddavError::Unreachable("it does not answer".to_owned())),
    }
}

async fn send(
    mut client: Client,
    method: &'static str,
    href: &str,
    expected: Expected<'_>,
    card: Option<&str>,
) -> Result<Written, CarddavError> {
    let unreachable = |error: &dyn std::fmt::Display| CarddavError::Unreachable(error.to_string());
    // Whatever the store says: nothing outside of the book is written.
    let path = client.within(href)?;
    let (name, value) = match expected {
        Expected::Etag(etag) => ("if-match", etag),
        Expected::Absent => ("if-none-match", "*"),
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", &client.server.host)
        .header("authorization", &client.server.authorization)
        .header(name, value);
    if card.is_some() {
        request = request.header("content-type", "text/vcard; charset=utf-8");
    }
    let request = request
        .body(card.unwrap_or_default().to_owned())
        .map_err(|_| CarddavError::Url)?;
    let answer = client.sender.send_request(request).await;
    let answer = answer.map_err(|error| unreachable(&error))?;
    let status = answer.status().as_u16();
    let etag = answer.headers().get("etag");
    let etag = etag.and_then(|etag| etag.to_str().ok()).map(str::to_owned);
    // Read to its end, so that a server that says more is bounded.
    whole(answer.into_body()).await?;
    match status {
        200..=299 => Ok(Written::Done(state(&etag)?)),
        404 | 410 if card.is_none() => Ok(Written::Done(None)),
        // 409 and 405: a server that has no conditions of its own for it.
        404 | 405 | 409 | 410 | 412 => Ok(Written::Otherwise),
        401 | 403 => Err(CarddavError::Refused),
        other => Err(CarddavError::Status(other, method)),
    }
}
