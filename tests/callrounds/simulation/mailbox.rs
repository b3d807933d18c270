//! The vendor's webhooks, in process: what they name comes to the program as hints, right, wrong, twice, late, early or
//! never. A seed decides; a program that is dead gets none.

use std::sync::{Arc, Mutex, PoisonError};

use callrounds::annie::webhook::{self, Hinting, Hints};
use callrounds::clock::SharedClock;
use callrounds::ids::ConversationId;
use chrono::{DateTime, TimeDelta, Utc};

use super::dice::Dice;

/// Where the vendor delivers.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    program: Option<Hinting>,
    delivered: u64,
}

impl Mailbox {
    /// The program is started, and listens.
    pub fn open(&self) -> Hints {
        let (hinting, hints) = webhook::channel();
        self.with(|inside| inside.program = Some(hinting));
        hints
    }

    /// What was delivered to a program that listened.
    pub fn delivered(&self) -> u64 {
        self.with(|inside| inside.delivered)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Inside) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn deliver(&self, id: ConversationId) {
        self.with(|inside| {
            if let Some(program) = &inside.program {
                program.hint(id);
                inside.delivered += 1;
            }
        });
    }

    /// Of a hundred conversations, `percent` are told of when they close; about as many others at another time. The runtime
    /// ends what has not been delivered when the seed is over.
    pub fn will_deliver(
        &self,
        clock: &SharedClock,
        id: &ConversationId,
        closes: DateTime<Utc>,
        mut dice: Dice,
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
        if dice.chance(percent) {
            for _ in 0..dice.pick(&[1, 1, 2, 5]) {
                make(closes, id.clone());
            }
        }
        if dice.chance(percent) {
            make(closes + dice.some_time(TimeDelta::hours(1)), id.clone());
            make(now + dice.some_time((closes - now).max(TimeDelta::seconds(1))), id.clone());
            make(closes, ConversationId::new("somebody-else's"));
        }
    }
}
