//! MQTT: the connection under [`crate::mqtt`].
use std::time::{Duration, Instant};

use hearthline_speaker::config::MqttSettings;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, split};
use tokio::time::timeout;

use super::dial::{Dial, Stream};
use super::secret::Secrets;
use super::{OwnWires, Wires};
use crate::backoff::Backoff;
use crate::mqtt::own::Own;
use crate::mqtt::session::Login;
use crate::mqtt::{Client, DISCOVERED, Output, Prefixes};

/// How long a write may take: a broker that reads nothing is gone.
const WRITE_MAX: Duration = Duration::from_secs(5);
/// A connection that lasted so long was none that another client of our name threw off at once.
const LASTED: Duration = Duration::from_secs(10);
/// What tells machines apart, where the system has one.
const MACHINE: &str = "/etc/machine-id";
/// Read at once, in bytes.
const READ_BYTES: usize = 64 * 1_024;

/// The task.
pub(super) struct Task {
    client: Client,
    own: OwnWires,
    dial: Dial,
    random: SystemRandom,
    started: Instant,
}

/// How a connection ended.
enum Ended {
    Why(String),
    /// The skill is gone.
    Over,
}

impl Task {
    /// `own`: the speaker's sensors if they are wanted; `wires`: where what they show and what is to be forgotten comes from.
    pub(super) fn new(
        settings: &MqttSettings,
        secrets: &Secrets,
        device: &str,
        own: Option<Own>,
        wires: OwnWires,
    ) -> Result<Self, String> {
        let random = SystemRandom::new();
        let login = Login {
            client: client_name(device, own.is_some(), &random),
            user: settings
                .username
                .clone()
                .map(|name| (name, secrets.secret())),
            will: None,
        };
        let prefixes = Prefixes {
            discovery: settings.discovery.clone(),
            zigbee: settings.zigbee2mqtt.clone(),
        };
        let client = match own {
            Some(own) => Client::announcing(login, prefixes, own),
            None => Client::new(login, prefixes),
        };
        Ok(Self {
            client,
            own: wires,
            dial: Dial::new(settings.address, secrets.certificate())?,
            random,
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
            while let Some(output) = self.client.poll_output() {
                if let Output::News(news) = output
                    && !wires.news(&news.system, news.what).await
                {
                    return;
                }
            }
            let mut spread = [0; 1];
            let _ = self.random.fill(&mut spread);
            let wait = tokio::time::sleep(backoff.wait(spread[0]));
            tokio::pin!(wait);
            loop {
                tokio::select! {
                    () = &mut wait => break,
                    said = self.own.next() => {
                        let now = self.started.elapsed();
                        said.to(&mut self.client, now);
                    }
                    orders = wires.orders.recv() => match orders {
                        Some(orders) => if !wires.refuse(DISCOVERED, &orders, &why).await { return },
                        None => return,
                    },
                }
            }
        }
    }

    async fn connected(
        &mut self,
        stream: Box<dyn Stream>,
        wires: &mut Wires,
        backoff: &mut Backoff,
    ) -> Ended {
        let (mut reading, mut writing) = split(stream);
        let opened = self.now();
        self.client.opened(opened);
        let mut buffer = vec![0; READ_BYTES];
        let mut leaves = false;
        loop {
            while let Some(output) = self.client.poll_output() {
                match output {
                    Output::Send(bytes) => {
                        match timeout(WRITE_MAX, writing.write_all(&bytes)).await {
                            Ok(Ok(())) => {}
                            Ok(Err(error)) => return Ended::Why(error.to_string()),
                            Err(_) => return Ended::Why("the broker reads nothing".to_owned()),
                        }
                    }
                    Output::News(news) => {
                        if !wires.news(&news.system, news.what).await {
                            return Ended::Over;
                        }
                    }
                    Output::Close(why) => return Ended::Why(why),
                    Output::Forgotten(old) => {
                        self.own.forgotten(old).await;
                        if leaves {
                            // What it does not take any more, it does not need.
                            let goodbye = Client::goodbye();
                            let _ = timeout(WRITE_MAX, writing.write_all(&goodbye)).await;
                            let _ = writing.flush().await;
                            return Ended::Over;
                        }
                    }
                }
            }
            if let Err(error) = writing.flush().await {
                return Ended::Why(error.to_string());
            }
            if self.client.is_open() && self.now().saturating_sub(opened) >= LASTED {
                backoff.reset();
            }
            let wait = self
                .client
                .poll_timeout()
                .map(|at| at.saturating_sub(self.now()));
            tokio::select! {
                read = reading.read(&mut buffer) => match read {
                    Ok(0) => return Ended::Why("the broker closed the connection".to_owned()),
                    Ok(length) => self.client.handle_bytes(&buffer[..length], self.now()),
                    Err(error) => return Ended::Why(error.to_string()),
                },
                orders = wires.orders.recv(), if !leaves => match orders {
                    Some(orders) => {
                        let now = self.now();
                        orders.iter().for_each(|order| self.client.order(order, now));
                    }
                    // Who ended us waits a moment for the broker.
                    None if self.client.is_open() && self.own.leaves() => {
                        leaves = true;
                        let now = self.now();
                        self.client.leave(now);
                    }
                    None => return Ended::Over,
                },
                said = self.own.next() => {
                    let now = self.started.elapsed();
                    said.to(&mut self.client, now);
                }
                () = tokio::time::sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => {
                    self.client.handle_timeout(self.now());
                }
            }
        }
    }
}

/// Under which name the broker knows this client: two of one name would throw each other off for ever.
///
/// Whose sensors the broker keeps has the same name after a restart, so that the last will of a connection that broke is
/// spoken before the new one says that it is there (MQTT 3.1.1 §3.1.4); a recording beside it has another one. At most 23
/// letters and digits, which every broker takes (§3.1.3.1).
fn client_name(device: &str, keeps: bool, random: &SystemRandom) -> String {
    let machine = if keeps {
        std::fs::read(MACHINE).ok()
    } else {
        None
    };
    let machine = machine.unwrap_or_else(|| {
        let mut drawn = vec![0; 16];
        let _ = random.fill(&mut drawn);
        drawn
    });
    let hash = digest(&SHA256, &[&machine, device.as_bytes()].join(&0));
    let hash = hash.as_ref()[..8].iter();
    hash.fold("hearth".to_owned(), |name, byte| {
        name + &format!("{byte:02x}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_of_a_broker_has_a_name_of_its_own() {
        let random = SystemRandom::new();
        let name = |device, keeps| client_name(device, keeps, &random);
        assert_ne!(name("Kitchen", true), name("Hall", true));
        assert_ne!(name("Kitchen", false), name("Kitchen", false));
        assert_ne!(name("Kitchen", false), name("Kitchen", true));
        if std::path::Path::new(MACHINE).exists() {
            assert_eq!(name("Kitchen", true), name("Kitchen", true));
        }
        let long = name("K\u{fc}che of the very long name", true);
        assert!(long.len() <= 23 && long.chars().all(|letter| letter.is_ascii_alphanumeric()));
    }
}
