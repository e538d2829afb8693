//! A player of another system on its two channels.
use hearthline_speaker::player::Orderer;
use tokio::sync::mpsc;

use super::link::{News, Ordered};
use crate::remote::{Output, Remote};

/// Runs it until nobody orders any more, or nobody plays.
pub(super) async fn drive(
    mut end: Orderer,
    mut orders: mpsc::Receiver<Ordered>,
    news: mpsc::Sender<News>,
) {
    let mut remote = Remote::new();
    loop {
        while let Some(output) = remote.poll_output() {
            match output {
                // What is not taken is not answered: the skill says so after its wait.
                Output::Ask(asked) => drop(end.ask.try_send(asked)),
                Output::Told(told) => {
                    if news.send(News::Told(told)).await.is_err() {
                        return;
                    }
                }
            }
        }
        tokio::select! {
            order = orders.recv() => match order {
                Some((token, order)) => remote.handle_order(token, &order),
                None => return,
            },
            said = end.news.recv() => match said {
                Some(said) => remote.handle_news(said),
                None => return,
            },
        }
    }
}
