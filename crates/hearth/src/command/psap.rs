//! `hearth psap`: the drill call-taker and its LoST server alone.
use std::path::PathBuf;

use clap::Args;
use hearthline_psap::PsapConfig;

use crate::exit::Exit;
use crate::print::out;

/// How the call-taker is set up.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hearth psap\n  hearth psap --console\n  hearth psap --tls home-root.pem\n  hearth psap --config psap.toml\n  curl http://127.0.0.1:8060/calls\n\nIt listens on loopback only and ends with Ctrl-C.\nExit codes: 0 ended, 2 the configuration or an address cannot be used."
)]
pub(crate) struct Arguments {
    /// Configuration (TOML); a well-behaved call-taker on port 5060 without it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Also take calls over TLS, on the port above the SIP port, with a certificate of the home's own authority made now;
    /// its root certificate is written to this file.
    #[arg(long, value_name = "ROOT.PEM")]
    tls: Option<PathBuf>,
    /// Answer the calls yourself, in the browser: each rings so many seconds before the machine takes it.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "30", value_parser = clap::value_parser!(u16).range(1..=600))]
    console: Option<u16>,
    /// Where the callers' voices are recorded, one WAV a call; with --console they can be played there.
    #[arg(long, value_name = "FOLDER")]
    recordings: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    let mut config = match &arguments.config {
        None => Ok(PsapConfig::default()),
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))
            .and_then(|text| {
                PsapConfig::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
            }),
    };
    if let (Ok(config), Some(root)) = (&mut config, &arguments.tls) {
        config.tls_home_root = Some(root.clone());
        config.tls_port.get_or_insert(0);
    }
    if let Ok(config) = &mut config {
        if arguments.console.is_some() {
            config.person_answers_within_s = arguments.console;
        }
        if arguments.recordings.is_some() {
            config.recordings.clone_from(&arguments.recordings);
        }
    }
    let run = |config| -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(async {
            let mut running = hearthline_psap::start(config)
                .await
                .map_err(|error| error.to_string())?;
            out!("Drill call-taker. Ends with Ctrl-C.");
            for (transport, address) in &running.sip {
                out!("  SIP {transport:4} {address}");
            }
            out!(
                "  console  {}\n  calls    http://{}/calls\n  LoST     {}",
                running.console_url(),
                running.http,
                running.lost_url()
            );
            tokio::select! {
                () = running.wait() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            running.stop().await;
            Ok(())
        })
    };
    match config.and_then(run) {
        Ok(()) => Exit::Ok,
        Err(why) => {
            eprintln!("hearth: {why}");
            Exit::Input
        }
    }
}
