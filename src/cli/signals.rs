//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::ExitStatus;

/// Completes at the first Ctrl-C or SIGTERM; signals are watched from the call on, not from the first poll. A second
/// signal ends the process at once. That loses nothing: the next run settles the calls under way.
pub(super) fn first_signal() -> impl Future<Output = ()> + Send {
    let watched = Signals::watch();
    async move {
        let Some(mut signals) = watched else { return std::future::pending().await };
        signals.next().await;
        // The same watch continues, so a second signal right after the first is not missed.
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(ExitStatus::DueWorkLeft.code().into());
        });
    }
}

/// Completes at Ctrl-C or SIGTERM.
pub(super) async fn stop_signal() {
    match Signals::watch() {
        Some(mut signals) => signals.next().await,
        None => std::future::pending().await,
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// `None` if a handler cannot be installed: then the system's default applies, the process ends at a signal, and
    /// the next run continues its work.
    fn watch() -> Option<Self> {
        let interrupt = signal(SignalKind::interrupt()).ok()?;
        let terminate = signal(SignalKind::terminate()).ok()?;
        Some(Self { interrupt, terminate })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
