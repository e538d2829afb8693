//! The seam to the other instances and tasks: hints that there is more, never the thing itself.
//!
//! A lost hint costs time, never data: whoever follows also looks by itself every few seconds
//! ([`crate::feed::Feed`]), and truth is read from the [`Store`](crate::store::Store).

mod local;

use async_trait::async_trait;

use crate::event::StreamId;

pub use local::LocalBus;

/// Where hints come out.
#[async_trait]
pub trait Hints: Send {
    /// Waits until events up to the answered place may be there. Several hints may arrive as one;
    /// the place never goes back. `None`: the bus has ended.
    async fn next(&mut self) -> Option<StreamId>;
}

/// Where hints go in.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Tells everyone that events up to `newest` are committed.
    async fn announce(&self, newest: StreamId);
    /// Hears what is announced from now on; also once at the beginning what was announced before.
    fn listen(&self) -> Box<dyn Hints>;
}
