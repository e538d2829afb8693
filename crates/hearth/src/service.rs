//! This program as a service: what the service manager is told (sd_notify(3)) and how it ends the program.
//!
//! Without a manager (`NOTIFY_SOCKET` is not set) nobody is told anything. A failure to tell is nobody's business either:
//! no call waits for it.
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

/// Everything listens: what waits for this service may start.
pub(crate) fn ready() {
    tell(NotifyState::Ready);
}

/// It reads its configuration again; [`ready`] follows.
pub(crate) fn reloading() {
    tell(NotifyState::Reloading);
}

/// It ends, as it was told to.
pub(crate) fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if std::env::var_os("NOTIFY_SOCKET").is_some() {
        let _ = sd_notify::notify(&[state]);
    }
}

/// Tells the manager's watchdog that this program lives, twice as often as it asks, as long as the runtime turns. A
/// microphone that gives nothing is no reason to end a program that may carry a call: the device looks after it itself.
pub(crate) async fn keep_alive() {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    loop {
        tell(NotifyState::Watchdog);
        tokio::time::sleep(limit / 2).await;
    }
}

/// Until a person (Ctrl-C) or the manager (SIGTERM) ends the program. Where no signal can be waited for it runs until it
/// is ended from outside.
pub(crate) async fn told_to_end() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = terminated => {}
        () = interrupted => {}
    }
    stopping();
}
