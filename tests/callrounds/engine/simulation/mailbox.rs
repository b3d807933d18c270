//! The vendor's webhooks, in process: deliveries reach the program as hints that are right, wrong, repeated, late, early or
//! missing, as the seed decides. A killed program gets none.

use std::sync::{Arc, Mutex, PoisonError};

use callrounds::clock::SharedClock;
use callrounds::ids::ConversationId;
use callrounds::vendor::hints::{self, HintReceiver, HintSender};
use chrono::{DateTime, TimeDelta, Utc};

use crate::support::seeded_rng::SeededRng;

/// Delivers the vendor's webhooks to the running program.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    program: Option<HintSender>,
    delivered: u64,
}

impl Mailbox {
    /// Connects a started program that takes webhooks.
    pub fn open(&self) -> HintReceiver {
        let (sender, hints) = hints::channel();
        self.with(|state| state.program = Some(sender));
        hints
    }

    /// How many deliveries a program has received.
    pub fn delivered(&self) -> u64 {
        self.with(|state| state.delivered)
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn deliver(&self, id: ConversationId) {
        self.with(|state| {
            if let Some(program) = &state.program {
                program.hint(id);
                state.delivered += 1;
            }
        });
    }

    /// Schedules deliveries for `percent` % of the conversations when they close, and for about as many at other times.
    /// Deliveries still pending at the end of the seed end with the runtime.
    pub fn will_deliver(
        &self,
        clock: &SharedClock,
        id: &ConversationId,
        closes: DateTime<Utc>,
        mut rng: SeededRng,
        percent: u32,
    ) {
        let now = clock.now();
        let make = |at: DateTime<Utc>, id: ConversationId| {
            let (mailbox, clock) = (self.clone(), Arc::clone(clock));
            tokio::spawn(async move {
                clock.sleep(at - now).await;
                mailbox.deliver(id);
            });
        };
        if rng.chance(percent) {
            for _ in 0..rng.pick(&[1, 1, 2, 5]) {
                make(closes, id.clone());
            }
        }
        if rng.chance(percent) {
            make(closes + rng.up_to(TimeDelta::hours(1)), id.clone());
            make(now + rng.up_to((closes - now).max(TimeDelta::seconds(1))), id.clone());
            make(closes, ConversationId::new("somebody-else's"));
        }
    }
}
