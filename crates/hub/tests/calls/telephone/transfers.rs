//! What a device is told of a call that it gave away by REFER.
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Event, TransferProgress};

use super::Phone;

impl Phone {
    /// How it came out.
    pub async fn last_report(&mut self) -> TransferProgress {
        self.wait(|event| match event {
            Event::Transfer {
                progress: progress @ (TransferProgress::Ended(_) | TransferProgress::Refused(_)),
                ..
            } => Some(progress.clone()),
            _ => None,
        })
        .await
    }

    /// It is refused; with which status.
    pub async fn transfer_refused(&mut self) -> Option<u16> {
        match self.last_report().await {
            TransferProgress::Refused(cause) => cause.status().map(StatusCode::code),
            other => panic!("{other:?}"),
        }
    }
}
