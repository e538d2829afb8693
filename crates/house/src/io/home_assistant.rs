//! Home Assistant: the WebSocket under [`crate::home_assistant`].
use std::time::{Duration, Instant};

use hearthline_speaker::config::HomeAssistantSettings;
use hearthline_speaker::player::{Asked, News, Wired};
use hearthline_transport::websocket::client::{self, Handshake};
use hearthline_transport::websocket::{FrameReader, Received};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::time::timeout;

use super::dial::{Dial, Stream};
use super::secret::Secrets;
use super::{HOME_ASSISTANT, Wires};
use crate::backoff::Backoff;
use crate::home_assistant::{Client, MESSAGE_BYTES_MAX, Output};

/// Where its API is.
const PATH: &str = "/api/websocket";
/// How long the handshake of WebSocket may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// How long a write may take: a server that reads nothing is gone.
const WRITE_MAX: Duration = Duration::from_secs(5);
/// Read at once, in bytes.
const READ_BYTES: usize = 64 * 1_024;

/// The task.
pub(super) struct Task {
    client: Client,
    player: Option<Wired>,
    dial: Dial,
    random: SystemRandom,
    started: Instant,
}

/// How a connection ended.
enum Ended {
    /// This way.
    Why(String),
    /// The skill is gone.
    Over,
}

impl Task {
    /// `player`: the media player that music plays by, and the way to music.
    pub(super) fn new(
        settings: &HomeAssistantSettings,
        secrets: &Secrets,
        player: Option<(&str, Wired)>,
    ) -> Result<Self, String> {
        let client = Client::new(secrets.secret());
        let (client, player) = match player {
            Some((entity, wired)) => (client.with_player(entity), Some(wired)),
            None => (client, None),
        };
        Ok(Self {
            client,
            player,
            dial: Dial::new(settings.address, secrets.certificate())?,
            random: SystemRandom::new(),
            started: Instant::now(),
        })
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Connects, and again, until the skill is gone.
    pub(super) async fn run(mut self, mut wires: Wires) {
        let mut backoff = Backoff::default();
        loop {
            let why = match self.dial.connect().await {
                Ok(stream) => match self.connected(stream, &mut wires, &mut backoff).await {
                    Ended::Why(why) => why,
                    Ended::Over => return,
                },
                Err(why) => why,
            };
            self.client.closed(&why);
            if !self.told(&wires).await {
                return;
            }
            let mut spread = [0; 1];
            let _ = self.random.fill(&mut spread);
            let wait = tokio::time::sleep(backoff.wait(spread[0]));
            tokio::pin!(wait);
            // What is asked for meanwhile is not kept for later: it is said at once that it cannot be.
            loop {
                tokio::select! {
                    () = &mut wait => break,
                    asked = next(&mut self.player) => {
                        self.client.play(&asked);
                        if !self.told(&wires).await { return }
                    }
                    orders = wires.orders.recv() => match orders {
                        Some(orders) => if !wires.refuse(HOME_ASSISTANT, &orders, &why).await { return },
                        None => return,
                    },
                }
            }
        }
    }

    /// Hands on what the core says while nothing is connected; false when there is nobody any more.
    async fn told(&mut self, wires: &Wires) -> bool {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::News(what) => {
                    if !wires.news(HOME_ASSISTANT, what).await {
                        return false;
                    }
                }
                Output::Player(news) => self.tell_music(news).await,
                Output::Send(_) | Output::Close(_) => {}
            }
        }
        true
    }

    async fn connected(
        &mut self,
        stream: Box<dyn Stream>,
        wires: &mut Wires,
        backoff: &mut Backoff,
    ) -> Ended {
        let (mut reading, mut writing) = split(stream);
        let (mut frames, left) = match self.upgraded(&mut reading, &mut writing).await {
            Ok(upgraded) => upgraded,
            Err(why) => return Ended::Why(why),
        };
        self.client.opened(self.now());
        let mut buffer = vec![0; READ_BYTES];
        if let Err(ended) = self.take(&mut frames, &left, &mut writing).await {
            return ended;
        }
        loop {
            if let Err(ended) = self.drain(wires, &mut writing).await {
                return ended;
            }
            if self.client.is_known() {
                backoff.reset();
            }
            let wait = self
                .client
                .poll_timeout()
                .map(|at| at.saturating_sub(self.now()));
            tokio::select! {
                read = reading.read(&mut buffer) => {
                    let ended = match read {
                        Ok(0) => Err(Ended::Why("it closed the connection".to_owned())),
                        Ok(length) => self.take(&mut frames, &buffer[..length], &mut writing).await,
                        Err(error) => Err(Ended::Why(error.to_string())),
                    };
                    if let Err(ended) = ended {
                        return ended;
                    }
                }
                orders = wires.orders.recv() => match orders {
                    Some(orders) => orders.iter().for_each(|order| self.client.order(order)),
                    None => return Ended::Over,
                },
                asked = next(&mut self.player) => self.client.play(&asked),
                () = tokio::time::sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => {
                    self.client.handle_timeout(self.now());
                }
            }
        }
    }

    async fn upgraded(
        &self,
        reading: &mut ReadHalf<Box<dyn Stream>>,
        writing: &mut WriteHalf<Box<dyn Stream>>,
    ) -> Result<(FrameReader, Vec<u8>), String> {
        let mut nonce = [0; 16];
        self.random
            .fill(&mut nonce)
            .map_err(|_| "no randomness".to_owned())?;
        let handshake = Handshake::new(nonce, None);
        let request = handshake.request(&self.dial.address().to_string(), PATH);
        let upgrading = async {
            writing
                .write_all(&request)
                .await
                .map_err(|error| error.to_string())?;
            let mut bytes = Vec::new();
            let mut buffer = [0; 4_096];
            loop {
                let length = reading
                    .read(&mut buffer)
                    .await
                    .map_err(|error| error.to_string())?;
                if length == 0 {
                    return Err("it closed the connection".to_owned());
                }
                bytes.extend_from_slice(&buffer[..length]);
                if let Some(end) = handshake
                    .answer(&bytes)
                    .map_err(|error| error.to_string())?
                {
                    return Ok(bytes.split_off(end));
                }
            }
        };
        match timeout(HANDSHAKE_MAX, upgrading).await {
            Ok(left) => Ok((FrameReader::of_server(MESSAGE_BYTES_MAX), left?)),
            Err(_) => Err("it does not answer in time".to_owned()),
        }
    }

    /// Hands frames to the core.
    async fn take(
        &mut self,
        frames: &mut FrameReader,
        bytes: &[u8],
        writing: &mut WriteHalf<Box<dyn Stream>>,
    ) -> Result<(), Ended> {
        frames.push(bytes);
        loop {
            match frames.next() {
                Ok(None) => return Ok(()),
                Ok(Some(Received::Text(text))) => self.client.handle_text(&text, self.now()),
                Ok(Some(Received::Ping(payload))) => {
                    let pong = client::pong(&payload, self.mask()?);
                    write(writing, &pong).await?;
                }
                Ok(Some(Received::Pong)) => {}
                Ok(Some(Received::Binary(_))) => {
                    return Err(Ended::Why("it sends bytes in place of text".to_owned()));
                }
                Ok(Some(Received::Close)) => {
                    return Err(Ended::Why("it closed the connection".to_owned()));
                }
                Err(fault) => {
                    let closing = client::closing(fault.status(), self.mask()?);
                    let _ = write(writing, &closing).await;
                    return Err(Ended::Why(fault.to_string()));
                }
            }
        }
    }

    /// Does what the core wants.
    async fn drain(
        &mut self,
        wires: &Wires,
        writing: &mut WriteHalf<Box<dyn Stream>>,
    ) -> Result<(), Ended> {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Send(text) => {
                    let frame = client::text(&text, self.mask()?);
                    write(writing, &frame).await?;
                }
                Output::News(what) => {
                    if !wires.news(HOME_ASSISTANT, what).await {
                        return Err(Ended::Over);
                    }
                }
                Output::Player(news) => self.tell_music(news).await,
                Output::Close(why) => {
                    let closing = client::closing(1000, self.mask()?);
                    let _ = write(writing, &closing).await;
                    return Err(Ended::Why(why));
                }
            }
        }
        Ok(())
    }

    /// Music that is gone hears nothing, and that is no fault.
    async fn tell_music(&self, news: News) {
        if let Some(player) = &self.player {
            let _ = player.tell.send(news).await;
        }
    }

    fn mask(&self) -> Result<[u8; 4], Ended> {
        let mut mask = [0; 4];
        let filled = self.random.fill(&mut mask);
        filled
            .map(|()| mask)
            .map_err(|_| Ended::Why("no randomness".to_owned()))
    }
}

/// What music wants next of its player; never, where there is none or music is gone.
async fn next(player: &mut Option<Wired>) -> Asked {
    if let Some(wired) = player
        && let Some(asked) = wired.asked.recv().await
    {
        return asked;
    }
    core::future::pending().await
}

async fn write(writing: &mut WriteHalf<Box<dyn Stream>>, bytes: &[u8]) -> Result<(), Ended> {
    let writing = async {
        writing.write_all(bytes).await?;
        writing.flush().await
    };
    match timeout(WRITE_MAX, writing).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Ended::Why(error.to_string())),
        Err(_) => Err(Ended::Why("it reads nothing".to_owned())),
    }
}
