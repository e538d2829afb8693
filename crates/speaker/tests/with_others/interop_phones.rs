//! baresip and linphonec answer our call; the sound is measured in both directions.
//!
//! Neither can be told to stay on loopback: baresip puts an address of the machine into its SDP and does not start on `lo`,
//! linphone looks for the network. So these tests run themselves again in a network namespace that has nothing but
//! loopback, with the default route through it. That needs root; our own guard (`Reach::LoopbackOnly`) stands in any case.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::peer::speaker::{Speaker, TONE_HZ, line};
use crate::peer::{Peer, free_port, installed, is_root, must_run, share_of_tone, sine};
use hearthline_emergency::call::{Line, Transport};
use hearthline_emergency::line::{AddressAs, LineBody};
use hearthline_emergency::numbers::{Country, NumberPlan};

/// What the phones play.
const PHONE_TONE_HZ: f64 = 660.0;
const KAMAILIO: (&str, &str) = ("kamailio", "kamailio");
/// Set within the namespace.
const INSIDE: &str = "HEARTHLINE_INTEROP_INSIDE";

/// True within the namespace. Otherwise runs the test of this name there, if that is possible.
fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let up = "ip link set lo up && ip route add default dev lo";
    let possible = is_root()
        && Command::new("unshare")
            .args(["-n", "sh", "-c", up])
            .output()
            .is_ok_and(|made| made.status.success());
    if !possible {
        assert!(
            !must_run(),
            "no network namespace can be made (Debian: util-linux, iproute2)"
        );
        println!("skipped: needs root, unshare and ip for a network with loopback only");
        return false;
    }
    let again = format!("{up} && exec \"$0\" --exact interop_phones::{test} --nocapture");
    let output = Command::new("timeout")
        .args(["-k", "2", "80", "unshare", "-n", "sh", "-c", &again])
        .arg(std::env::current_exe().unwrap())
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
    print!("{printed}");
    false
}

/// What stands between the device and a common phone in a home: a gateway (Kamailio) that takes a session description
/// alone, so that the device must offer its call again without the rest (415), and that gives the service a phone's name:
/// baresip 1.0.0 answers 404 to a URN and 500 to a multipart body; linphone 5.1.65 answers a multipart body with a 200 that
/// has no session at all. Without it the phones are lines of their own, asked for by number: see below.
fn gateway(folder: &Path, phone: u16) -> (Peer, u16) {
    let port = free_port();
    let config = format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"

request_route {{
    if (has_totag()) {{
        if (loose_route() || (is_method("ACK") && t_check_trans())) t_relay();
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if ($hdr(Content-Type) =~ "multipart") {{
        append_to_reply("Accept: application/sdp\r\n");
        sl_send_reply("415", "Unsupported Media Type");
        exit;
    }}
    record_route();
    $ru = "sip:sos@127.0.0.1:{phone}";
    t_relay();
}}
"#
    );
    std::fs::write(folder.join("gateway.cfg"), config).unwrap();
    let file = folder.join("gateway.cfg");
    let (file, pid, folder_name) = (
        file.to_str().unwrap(),
        folder.join("gateway.pid"),
        folder.to_str().unwrap(),
    );
    let arguments = [
        "-f",
        file,
        "-DD",
        "-E",
        "-m",
        "16",
        "-M",
        "4",
        "-Y",
        folder_name,
        "-P",
        pid.to_str().unwrap(),
    ];
    let mut peer = Peer::start("kamailio", &arguments, folder);
    peer.listens_on(port);
    (peer, port)
}

/// A line as a home has it: the phone itself, asked for by number.
fn numbered(port: u16, body: LineBody) -> Line {
    Line {
        address_as: AddressAs::Number(NumberPlan::Of(Country::UnitedStates)),
        body,
        ..line("drill", port, Transport::Udp)
    }
}

/// Every INVITE that left: its Request-URI, and whether it had more than the session.
fn invites(speaker: &Speaker) -> Vec<(String, bool)> {
    let sent = speaker.seen.sent.iter();
    let texts = sent.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned());
    let mut invites: Vec<(String, bool)> = texts
        .filter(|text| text.starts_with("INVITE "))
        .map(|text| {
            let uri = text.split(' ').nth(1).unwrap().to_owned();
            (uri, text.contains("multipart/mixed"))
        })
        .collect();
    invites.dedup(); // UDP repeats
    invites
}

/// Calls the phone, lets both tones run, hangs up with confirmed words.
async fn talks(line: Line, phone: &Peer) -> Speaker {
    let mut speaker = Speaker::start(vec![line]).await;
    speaker.hears("call 911");
    speaker
        .run_until("it is answered", |seen| seen.step("Answered"))
        .await;
    speaker.run_for(Duration::from_secs(3)).await;
    speaker.hears("hang up the emergency call");
    speaker.run_for(Duration::from_millis(300)).await;
    speaker.hears_reply("yes");
    speaker
        .run_until("the call ends", |seen| seen.outcome().is_some())
        .await;
    speaker.run_for(Duration::from_millis(500)).await;
    let seen = &speaker.seen;
    assert_eq!(
        seen.outcome(),
        Some("answered"),
        "{:#?}\n{}",
        seen.steps,
        phone.printed()
    );
    assert!(
        seen.rtp_sent.iter().all(|to| to.ip().is_loopback()),
        "the phone's session names this machine only"
    );
    assert_eq!(seen.rtp_refused, 0);
    assert!(
        seen.rtp_sent.len() > 120,
        "{} packets left",
        seen.rtp_sent.len()
    );
    assert!(
        seen.rtp_received > 60,
        "{} packets came\n{}",
        seen.rtp_received,
        phone.printed()
    );
    let share = share_of_tone(&seen.heard, PHONE_TONE_HZ, 16_000.0);
    assert!(
        share > 0.8,
        "the phone's tone is {share:.2} of what was heard\n{}",
        phone.printed()
    );
    println!("heard {} packets, tone {share:.2}", seen.rtp_received);
    speaker
}

/// Twenty seconds for the phone to play.
fn tone_file(folder: &Path) -> PathBuf {
    let file = folder.join("tone.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(&file, spec).unwrap();
    (0..160_000).for_each(|at| wav.write_sample(sine(at, PHONE_TONE_HZ, 8_000.0)).unwrap());
    wav.finalize().unwrap();
    file
}

/// The phone's own recording has our tone.
fn recorded_our_tone(file: &Path, phone: &Peer) {
    let mut wav =
        hound::WavReader::open(file).unwrap_or_else(|error| panic!("{error}\n{}", phone.printed()));
    let spec = wav.spec();
    // The length in linphone's header is behind what it wrote.
    let samples: Vec<i16> = wav
        .samples::<i16>()
        .step_by(usize::from(spec.channels))
        .map_while(Result::ok)
        .collect();
    let rate = f64::from(spec.sample_rate);
    let share = share_of_tone(&samples, TONE_HZ, rate);
    let seconds = samples.len() as f64 / rate;
    println!("the phone recorded {seconds:.1} s, our tone {share:.2}");
    assert!(seconds > 1.0, "only {seconds:.1} s were recorded");
    assert!(
        share > 0.8,
        "our tone is {share:.2} of what the phone recorded"
    );
}

/// baresip, answering by itself, playing its tone and recording what it hears.
fn baresip(folder: &Path) -> (Peer, u16) {
    let (files, port, media) = (folder.display(), free_port(), free_port());
    let config = format!(
        "sip_listen 127.0.0.1:{port}\naudio_source aufile,{}\nmodule sndfile.so\nsnd_path {files}\n\
         audio_alert aufile,{files}/alert.wav\nausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\n\
         ausrc_format s16\nauplay_format s16\nrtp_ports {media}-{}\njitter_buffer_delay 2-10\n\
         module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aufile.so\n\
         module_app account.so\nmodule_app menu.so\n",
        tone_file(folder).display(),
        media + 4
    );
    std::fs::write(folder.join("config"), config).unwrap();
    // Its account has the number as its name: baresip answers 404 to a user that it does not have.
    std::fs::write(
        folder.join("accounts"),
        "<sip:911@127.0.0.1>;regint=0;answermode=auto;audio_codecs=pcmu\n\
         <sip:sos@127.0.0.1>;regint=0;answermode=auto;audio_codecs=pcmu\n",
    )
    .unwrap();
    std::fs::write(folder.join("contacts"), "").unwrap();
    let mut phone = Peer::start("baresip", &["-v", "-f", folder.to_str().unwrap()], folder);
    phone.listens_on(port);
    phone.until("is ready", |phone| {
        phone.printed().contains("baresip is ready")
    });
    (phone, port)
}

/// baresip's sndfile module writes what was decoded, under a name with the date.
fn baresip_heard_us(folder: &Path, mut phone: Peer) {
    phone.stop();
    let mut files = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|file| file.path());
    let recording = files.find(|file| file.to_string_lossy().ends_with("-dec.wav"));
    recorded_our_tone(
        &recording.unwrap_or_else(|| panic!("no recording\n{}", phone.printed())),
        &phone,
    );
}

#[tokio::test]
async fn baresip_answers_and_both_sides_hear() {
    if !installed(&[("baresip", "baresip-core"), KAMAILIO])
        || !inside("baresip_answers_and_both_sides_hear")
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (phone, port) = baresip(folder.path());
    let (_gateway, port) = gateway(folder.path(), port);
    talks(line("drill", port, Transport::Udp), &phone).await;
    baresip_heard_us(folder.path(), phone);
}

#[tokio::test]
async fn baresip_is_called_by_number_with_the_session_alone() {
    if !installed(&[("baresip", "baresip-core")])
        || !inside("baresip_is_called_by_number_with_the_session_alone")
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (phone, port) = baresip(folder.path());
    let speaker = talks(numbered(port, LineBody::SessionOnly), &phone).await;
    assert_eq!(
        invites(&speaker),
        [(format!("sip:911@127.0.0.1:{port}"), false)]
    );
    baresip_heard_us(folder.path(), phone);
}

#[tokio::test]
async fn baresip_that_fails_over_the_multipart_gets_the_session_alone() {
    if !installed(&[("baresip", "baresip-core")])
        || !inside("baresip_that_fails_over_the_multipart_gets_the_session_alone")
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (phone, port) = baresip(folder.path());
    let speaker = talks(numbered(port, LineBody::Full), &phone).await;
    let uri = format!("sip:911@127.0.0.1:{port}");
    assert_eq!(invites(&speaker), [(uri.clone(), true), (uri, false)]);
    assert!(
        speaker.seen.step("it answered 500"),
        "{:#?}",
        speaker.seen.steps
    );
    baresip_heard_us(folder.path(), phone);
}

/// linphonec, answering by itself, with commands for its tone and its recording.
fn linphonec(folder: &Path) -> (Peer, std::process::ChildStdin, PathBuf, u16) {
    use std::io::Write as _;
    let (port, media) = (free_port(), free_port());
    for own in [".local/share/linphone", ".config/linphone"] {
        std::fs::create_dir_all(folder.join(own)).unwrap();
    }
    let config = format!(
        "[sip]\nsip_port={port}\nsip_tcp_port=0\nsip_tls_port=0\nguess_hostname=0\ncontact=sip:sos@127.0.0.1\n\
         bind_address=127.0.0.1\nauto_net_state_mon=0\nuse_ipv6=0\n[rtp]\naudio_rtp_port={media}\n"
    );
    std::fs::write(folder.join("linphonerc"), config).unwrap();
    let recording = folder.join("heard.wav");
    let tone = tone_file(folder);
    let arguments = ["-c", "linphonerc", "-a"];
    let mut phone = Peer::start_with_input("linphonec", &arguments, folder, Stdio::piped());
    let mut keyboard = phone.input();
    let commands = format!(
        "soundcard use files\nrecord {}\nplay {}\n",
        recording.display(),
        tone.display()
    );
    keyboard.write_all(commands.as_bytes()).unwrap();
    phone.listens_on(port);
    phone.until("plays", |phone| phone.printed().contains("linphonec> play"));
    (phone, keyboard, recording, port)
}

async fn linphonec_heard_us(
    mut phone: Peer,
    mut keyboard: std::process::ChildStdin,
    recording: &Path,
) {
    use std::io::Write as _;
    keyboard.write_all(b"quit\n").unwrap();
    for _ in 0..100 {
        if phone.ended().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    phone.stop();
    recorded_our_tone(recording, &phone);
}

#[tokio::test]
async fn linphonec_answers_and_both_sides_hear() {
    if !installed(&[("linphonec", "linphone-cli"), KAMAILIO])
        || !inside("linphonec_answers_and_both_sides_hear")
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (phone, keyboard, recording, port) = linphonec(folder.path());
    let (_gateway, port) = gateway(folder.path(), port);
    talks(line("drill", port, Transport::Udp), &phone).await;
    linphonec_heard_us(phone, keyboard, &recording).await;
}

#[tokio::test]
async fn linphonec_is_called_by_number_with_the_session_alone() {
    if !installed(&[("linphonec", "linphone-cli")])
        || !inside("linphonec_is_called_by_number_with_the_session_alone")
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (phone, keyboard, recording, port) = linphonec(folder.path());
    let speaker = talks(numbered(port, LineBody::SessionOnly), &phone).await;
    assert_eq!(
        invites(&speaker),
        [(format!("sip:911@127.0.0.1:{port}"), false)]
    );
    linphonec_heard_us(phone, keyboard, &recording).await;
}

#[tokio::test]
async fn linphonec_on_a_line_as_it_is_by_default_gets_the_session_alone() {
    if !installed(&[("linphonec", "linphone-cli")])
        || !inside("linphonec_on_a_line_as_it_is_by_default_gets_the_session_alone")
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (phone, keyboard, recording, port) = linphonec(folder.path());
    let speaker = talks(line("drill", port, Transport::Udp), &phone).await;
    let uri = "urn:service:sos".to_owned();
    assert_eq!(invites(&speaker), [(uri.clone(), true), (uri, false)]);
    linphonec_heard_us(phone, keyboard, &recording).await;
}
