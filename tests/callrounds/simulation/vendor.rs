//! The program's line to the vendor, in process: the engine's own seam, with a network whose every delay and fault is
//! drawn from the seed. A request that was sent before the program died may be acted on after it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callrounds::annie::{Answer, CallRequest, Concern, Conversation, NotPlaced, Page, Reply, Unread, Vendor};
use callrounds::clock::SharedClock;
use callrounds::ids::ConversationId;
use callrounds::phone::E164;
use chrono::TimeDelta;
use tokio::sync::oneshot;

use super::odd::READS;
use super::plan::PROCESSING;
use super::site::{Acts, Fate, Journey, Moment, Site};

/// Longer than anybody waits for an answer.
const FOR_GOOD: TimeDelta = TimeDelta::days(1);

/// The program's line to the vendor.
#[derive(Clone)]
pub struct SimVendor(pub Arc<Mutex<Site>>);

impl SimVendor {
    pub fn site(&self) -> MutexGuard<'_, Site> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> SharedClock {
        Arc::clone(&self.site().clock)
    }

    /// Acts on a call `after` so long. When the caller is gone before that, the request is gone with it, or is acted on
    /// all the same within [`PROCESSING`].
    fn act_later(
        &self,
        call: CallRequest,
        attempt: Option<i64>,
        after: TimeDelta,
        once_alone: Option<TimeDelta>,
    ) -> oneshot::Receiver<Answer<Reply>> {
        let (mut reply, answer) = oneshot::channel();
        let vendor = self.clone();
        let (restorations, under_way) = {
            let site = self.site();
            (site.oracle.restorations, Arc::clone(&site.under_way))
        };
        tokio::spawn(async move {
            let clock = vendor.clock();
            tokio::select! {
                biased;
                () = clock.sleep(after) => {}
                () = reply.closed() => match once_alone {
                    Some(late) => clock.sleep(late).await,
                    None => return,
                }
            }
            let mut site = vendor.site();
            // An older ledger may have been put back since, which does not know the attempt.
            let attempt = attempt.filter(|_| site.oracle.restorations == restorations);
            let (value, exhausted) = site.act(&call, attempt);
            let answer = site.answer(value, exhausted);
            drop(under_way);
            // Whoever asked may be gone.
            let _ = reply.send(answer);
        });
        answer
    }

    async fn travel(&self, call: CallRequest) -> Answer<Reply> {
        let (journey, attempt) = {
            let mut site = self.site();
            let now = site.clock.now();
            let attempt = site.oracle.sent(now, &call);
            let journey = site.journey();
            let fate = journey.fate;
            site.oracle.trace.say(now, || format!("call of attempt {attempt:?}: {fate:?}"));
            site.pass(Moment::Sent);
            (journey, attempt)
        };
        let Journey { fate, there, back, once_alone } = journey;
        let clock = self.clock();
        let never = |value| Answer::bare(Reply::NotPlaced(value));
        match fate {
            Fate::Answered => {
                let answer = self.act_later(call, attempt, there, once_alone).await;
                clock.sleep(back).await;
                answer.expect("the vendor answers those who wait")
            }
            Fate::Lost(how, acts) => {
                let acted = match acts {
                    Acts::Never => None,
                    Acts::Before => Some(self.act_later(call, attempt, there, once_alone)),
                    Acts::After => Some(self.act_later(call, attempt, FOR_GOOD, once_alone.or(Some(PROCESSING)))),
                };
                clock.sleep(there + back).await;
                drop(acted);
                Answer::bare(Reply::Lost(how))
            }
            Fate::NeverConnected => {
                clock.sleep(there).await;
                never(NotPlaced::NeverConnected)
            }
            Fate::RateLimited => {
                clock.sleep(there + back).await;
                self.site().answer(Reply::NotPlaced(NotPlaced::RateLimited), true)
            }
            Fate::Refused => {
                clock.sleep(there + back).await;
                never(NotPlaced::refused(400, Concern::Destination))
            }
        }
    }

    /// One read: `look` is what the vendor does between the way there and the way back.
    async fn read<T>(&self, look: impl FnOnce(&mut Site) -> Result<T, Unread>) -> Answer<Result<T, Unread>> {
        let (fault, there, back) = self.read_journey();
        let clock = self.clock();
        clock.sleep(there).await;
        let answer = {
            let mut site = self.site();
            match fault {
                Some(Unread::Unreachable) => Answer::bare(Err(Unread::Unreachable)),
                Some(fault) => site.answer(Err(fault), fault == Unread::RateLimited),
                None if site.charge() => {
                    let value = look(&mut site);
                    site.answer(value, false)
                }
                None => site.answer(Err(Unread::RateLimited), true),
            }
        };
        clock.sleep(back).await;
        answer
    }

    fn read_journey(&self) -> (Option<Unread>, TimeDelta, TimeDelta) {
        let mut site = self.site();
        let percent = site.habits.read_faults;
        let drawn = site.dice.chance(percent).then(|| site.dice.pick(&READS));
        let fault = if site.is_out() { Some(Unread::Unreachable) } else { drawn };
        (fault, site.delay(), site.delay())
    }

    /// Nothing leaves a dead program.
    async fn leave(&self) {
        let dead = {
            let mut site = self.site();
            site.requests += 1;
            site.is_dead()
        };
        if dead {
            std::future::pending::<()>().await;
        }
    }
}

impl Vendor for SimVendor {
    async fn place(&self, call: CallRequest) -> Answer<Reply> {
        self.leave().await;
        let asked = call.clone();
        let answer = self.travel(call).await;
        self.site().pass(Moment::Answered);
        self.leave().await;
        self.site().rows.note(&asked, &answer.value);
        answer
    }

    async fn page(&self, offset: u64, limit: u32) -> Answer<Result<Page, Unread>> {
        self.leave().await;
        self.read(|site| {
            let page = site.page(offset, limit)?;
            if page.rows() > site.habits.odd.fits { Err(Unread::TooLong) } else { Ok(page) }
        })
        .await
    }

    async fn conversation(&self, id: &ConversationId) -> Answer<Result<Conversation, Unread>> {
        self.leave().await;
        let id = id.clone();
        self.read(move |site| {
            let as_of = site.told_as_of();
            let view = site.world.conversation(as_of, &id).filter(|view| view.started <= as_of);
            let view = view.ok_or(Unread::NotFound)?;
            Ok(site.conversation_as_told(&view))
        })
        .await
    }

    async fn may_call_from(&self, from: E164) -> Answer<Result<Option<bool>, Unread>> {
        self.leave().await;
        self.read(|site| Ok(site.dice.chance(50).then_some(!site.is_silent(from)))).await
    }
}
