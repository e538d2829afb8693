//! A real Music Player Daemon, one that is away, and ones that lie.
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hearthline_speaker::config::{MpdSettings, MusicSettings};
use hearthline_speaker::skill::Engaged;

use crate::home::Home;
use crate::sounds::{folder, have};

struct Daemon {
    child: Child,
    address: SocketAddr,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

impl Daemon {
    fn start(root: &Path, address: SocketAddr) -> Self {
        let state = root.join("state");
        std::fs::create_dir_all(state.join("lists")).unwrap();
        let conf = format!(
            "music_directory \"{music}\"\nplaylist_directory \"{state}/lists\"\ndb_file \"{state}/db\"\n\
             bind_to_address \"127.0.0.1\"\nport \"{port}\"\nauto_update \"yes\"\nlog_file \"/dev/null\"\n\
             audio_output {{\n type \"null\"\n name \"none\"\n mixer_type \"software\"\n}}\n",
            music = root.join("music").display(),
            state = state.display(),
            port = address.port(),
        );
        std::fs::write(
            state.join("lists/Sunday Breakfast.m3u"),
            "Catherine Vale/Harbours/2.mp3\n",
        )
        .unwrap();
        let path = state.join("mpd.conf");
        std::fs::write(&path, conf).unwrap();
        let child = Command::new("mpd")
            .arg("--no-daemon")
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { child, address };
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < end, "mpd does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        daemon
    }

    /// What it says of itself to somebody else.
    fn says(&self, command: &str, key: &str) -> String {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        writeln!(&stream, "{command}").unwrap();
        let mut lines = BufReader::new(&stream).lines();
        lines.next();
        for line in lines {
            let line = line.unwrap();
            if line == "OK" || line.starts_with("ACK") {
                break;
            }
            if let Some(value) = line.strip_prefix(&format!("{key}: ")) {
                return value.to_owned();
            }
        }
        String::new()
    }

    fn becomes(&self, command: &str, key: &str, value: &str) -> bool {
        let end = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end {
            if self.says(command, key) == value {
                return true;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        panic!("{key} is {}, not {value}", self.says(command, key));
    }
}

fn settings(address: SocketAddr) -> MusicSettings {
    MusicSettings {
        mpd: Some(MpdSettings {
            address,
            password_file: None,
        }),
        ..MusicSettings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_one_plays_gives_way_and_comes_back() {
    if !have("mpd") || !have("lame") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    folder(&root.path().join("music"));
    let daemon = Daemon::start(root.path(), free_port());
    let mut home = Home::new(settings(daemon.address));
    home.knows(4).await;
    assert_eq!(
        home.ask("play songs by the brass kettels").await,
        "Playing music by The Brass Kettles."
    );
    assert!(daemon.becomes("status", "state", "play"));
    assert_eq!(daemon.says("currentsong", "Title"), "First Lantern");
    assert_eq!(daemon.says("status", "playlistlength"), "2");
    assert!(
        home.until(Duration::from_secs(2), |home| home.shown["title"]
            == "First Lantern")
            .await
    );
    home.ask("next").await;
    assert_eq!(daemon.says("currentsong", "Title"), "Second Lantern");
    home.ask("repeat everything").await;
    assert_eq!(daemon.says("status", "repeat"), "1");
    assert_eq!(home.ask("shuffle off").await, "Shuffle is off.");
    home.ask("set music volume to 80 percent").await;
    assert_eq!(daemon.says("status", "volume"), "80");
    // Softer while somebody speaks, on the wire in less than 150 ms.
    assert!(
        home.until(Duration::from_secs(2), |home| home.shown["percent"] == 80)
            .await
    );
    let asked = Instant::now();
    home.engaged(Engaged::Talking);
    while daemon.says("status", "volume") != "16" {
        assert!(asked.elapsed() < Duration::from_secs(2));
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = asked.elapsed();
    println!("soft after {took:?}");
    assert!(took < Duration::from_millis(150), "{took:?}");
    home.engaged(Engaged::Free);
    assert!(daemon.becomes("status", "volume", "80"));
    home.wait(100).await;
    home.engaged(Engaged::Emergency);
    assert!(daemon.becomes("status", "state", "pause"));
    home.wait(100).await;
    home.engaged(Engaged::Free);
    assert!(daemon.becomes("status", "state", "play"));
    // Paused by a person, it stays so behind a call.
    home.ask("pause").await;
    assert!(daemon.becomes("status", "state", "pause"));
    home.wait(100).await;
    home.engaged(Engaged::OnCall);
    home.wait(100).await;
    home.engaged(Engaged::Free);
    home.wait(200).await;
    assert_eq!(daemon.says("status", "state"), "pause");
    assert_eq!(
        home.ask("play my sunday breakfast playlist").await,
        "Playing the playlist Sunday Breakfast."
    );
    assert_eq!(daemon.says("currentsong", "Title"), "Copper Morning");
    home.ask("stop the music").await;
    assert!(daemon.becomes("status", "state", "stop"));
    // Somebody else starts it: then it plays here too.
    daemon.says("play", "");
    assert!(
        home.until(Duration::from_secs(2), |home| home.shown["state"]
            == "playing")
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_goes_away_is_named_and_found_again() {
    if !have("mpd") || !have("lame") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    folder(&root.path().join("music"));
    let address = free_port();
    let daemon = Daemon::start(root.path(), address);
    let mut home = Home::new(settings(address));
    home.knows(4).await;
    drop(daemon);
    home.wait(100).await;
    let asked = Instant::now();
    let why = home.ask("play the album harbours").await;
    assert_eq!(
        why,
        "no: I can't reach the music player M P D: the connection was refused."
    );
    assert!(asked.elapsed() < Duration::from_secs(2));
    let daemon = Daemon::start(root.path(), address);
    assert_eq!(
        home.ask("play the album harbours").await,
        "Playing the album Harbours by Catherine Vale."
    );
    assert!(daemon.becomes("status", "state", "play"));
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_lie_flood_or_say_nothing_are_named_in_two_seconds() {
    const LIES: [&[u8]; 5] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"OK MPD 0.23.5\n\xff\xfe\n",
        b"OK MPD 0.23.5\nno such line\n",
        b"",
        b"OK MPD 0.23.5\n",
    ];
    for lie in LIES {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.write_all(lie);
                open.push(stream);
            }
        });
        let mut home = Home::new(settings(address));
        home.wait(50).await;
        let asked = Instant::now();
        let why = home.ask("resume").await;
        assert!(asked.elapsed() < Duration::from_secs(2), "{lie:?}");
        assert!(why.contains("M P D"), "{why}");
    }
    // One that never stops.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"OK MPD 0.23.5\n");
        let mut drain = [0; 1_024];
        let _ = stream.read(&mut drain);
        let flood = b"Title: x\n".repeat(10_000);
        while stream.write_all(&flood).is_ok() {}
    });
    let mut home = Home::new(settings(address));
    home.wait(50).await;
    let asked = Instant::now();
    let why = home.ask("resume").await;
    assert!(
        why.contains("M P D") && asked.elapsed() < Duration::from_secs(2),
        "{why}"
    );
}
