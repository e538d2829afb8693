//! What of a configuration music goes by, and another one while it plays: what has not changed goes on.
use std::path::Path;
use std::sync::Arc;

use hearthline_speaker::config::MusicSettings;
use hearthline_speaker::io::password::may_replace;
use hearthline_speaker::player::Orderer;
use rustls::ClientConfig;
use tokio::sync::mpsc;

use super::http::Certificates;
use crate::skill::Settings;
use crate::subsonic::Account;
use crate::track::{Player, Station};

/// A configuration with what its files hold.
#[derive(Clone, Default)]
pub(super) struct Parts {
    pub(super) music: MusicSettings,
    pub(super) mpd_password: Option<String>,
    pub(super) account: Option<Account>,
    /// What the file of certificates holds, and what it is good for.
    pub(super) pem: Option<Vec<u8>>,
    pub(super) tls: Certificates,
}

impl Parts {
    /// Reads its files. What cannot be read is told, and stays as it was before, as far as it was.
    pub(super) fn read(
        music: MusicSettings,
        before: Option<&Self>,
        notices: &mut Vec<String>,
    ) -> Self {
        let mut read = |path: &Path, known: Option<&str>| match password(path, known) {
            Ok(password) => password,
            Err(why) => {
                let stays = if known.is_some() {
                    ". It stays as it was"
                } else {
                    ""
                };
                notices.push(format!("{why}{stays}"));
                known.unwrap_or_default().to_owned()
            }
        };
        let same_mpd = before.filter(|before| before.music.mpd == music.mpd);
        let mpd_password = (music.mpd.as_ref())
            .and_then(|settings| settings.password_file.as_deref())
            .map(|path| {
                read(
                    path,
                    same_mpd.and_then(|before| before.mpd_password.as_deref()),
                )
            });
        let same_server = before.filter(|before| before.music.subsonic == music.subsonic);
        let known = same_server.and_then(|before| before.account.as_ref());
        let account = music.subsonic.as_ref().map(|settings| Account {
            url: settings.url.clone(),
            user: settings.user.clone(),
            password: read(
                &settings.password_file,
                known.map(|account| account.password.as_str()),
            ),
            plain: settings.plain_password,
        });
        let (pem, tls) = match music.certificate.as_deref().map(certificates).transpose() {
            Ok(found) => found.unzip(),
            Err(why) => {
                let known = before.filter(|before| before.music.certificate == music.certificate);
                let stays = if known.is_some() {
                    ". It stays as it was"
                } else {
                    ""
                };
                notices.push(format!("{why}{stays}"));
                known.map_or((None, None), |known| (known.pem.clone(), known.tls.clone()))
            }
        };
        Self {
            music,
            mpd_password,
            account,
            pem,
            tls,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.music == other.music
            && self.mpd_password == other.mpd_password
            && self.account == other.account
            && self.pem == other.pem
    }

    /// What another one holds in its files, the settings being the same: in words.
    fn told(&self, before: &Self) -> Vec<String> {
        let mut told = Vec::new();
        let again = "is asked anew: its file holds another password";
        if self.music.mpd == before.music.mpd && self.mpd_password != before.mpd_password {
            told.push(format!("[music.mpd] {again}"));
        }
        if self.music.subsonic == before.music.subsonic && self.account != before.account {
            told.push(format!("[music.subsonic] {again}"));
        }
        told
    }

    pub(super) fn stations(&self) -> Vec<Station> {
        let stations = self.music.stations.iter();
        stations
            .map(|station| Station {
                name: station.name.clone(),
                url: station.url.clone(),
            })
            .collect()
    }
}

/// What the skill goes by.
pub(super) fn settings(music: &MusicSettings, room: &str) -> Settings {
    Settings {
        room: room.to_owned(),
        preferred: if music.prefers_home_assistant() {
            Player::HomeAssistant
        } else if music.prefers_mpd() {
            Player::Mpd
        } else {
            Player::Own
        },
        searches: music.home_assistant.is_some(),
        rooms: music.snapcast.is_some(),
        nothing: music.is_empty(),
    }
}

/// A configuration that comes while music may play.
pub(super) struct Anew {
    pub(super) parts: Parts,
    pub(super) remote: Option<Orderer>,
}

/// Music that runs, for another configuration. It runs on when this is dropped.
pub struct Control {
    pub(super) anew: mpsc::UnboundedSender<Anew>,
    /// By what it runs.
    pub(super) parts: Parts,
}

impl Control {
    /// Goes on by another `[music]`, or by what its files hold now, and tells what of it cannot be read. `remote` is given where the way to the media
    /// player of Home Assistant is another one; else the one that there is stays.
    pub fn reload(&mut self, music: MusicSettings, remote: Option<Orderer>) -> Vec<String> {
        let mut notices = Vec::new();
        let parts = Parts::read(music, Some(&self.parts), &mut notices);
        if remote.is_none() && parts.is_same(&self.parts) {
            return notices;
        }
        notices.extend(parts.told(&self.parts));
        self.parts.clone_from(&parts);
        if self.anew.send(Anew { parts, remote }).is_err() {
            notices.push("[music] counts at the next start only: its thread has ended".into());
        }
        notices
    }
}

/// The certificates of a file.
fn certificates(path: &Path) -> Result<(Vec<u8>, Arc<ClientConfig>), String> {
    let told = |why: String| format!("[music] {}: {why}", path.display());
    let pem = std::fs::read(path).map_err(|error| told(error.to_string()))?;
    let config = hearthline_transport::given::client_config(&pem).map_err(told)?;
    Ok((pem, config))
}

/// A password of a file. In place of one that is known, none is taken that others on this machine can read.
fn password(path: &Path, known: Option<&str>) -> Result<String, String> {
    let named = |why: String| format!("[music] {}: {why}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
    let password = text.lines().next().unwrap_or_default().trim();
    if known.is_some_and(|known| known != password) {
        if password.is_empty() {
            return Err(named("it holds no password".into()));
        }
        may_replace(path).map_err(|why| named(why.into()))?;
    }
    Ok(password.to_owned())
}
