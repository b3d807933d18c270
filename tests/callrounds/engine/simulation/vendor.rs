//! The engine's [`Vendor`] in process: a network whose delays and faults are drawn from the seed. A request that was sent
//! before the program was killed may still be acted on afterwards.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callrounds::clock::SharedClock;
use callrounds::ids::ConversationId;
use callrounds::phone::E164;
use callrounds::vendor::{CallRequest, Concern, Conversation, NotPlaced, Page, ReadError, Reply, Response, Vendor};
use chrono::TimeDelta;
use tokio::sync::oneshot;

use super::odd_responses::READS;
use super::plan::PROCESSING;
use super::vendor_model::{RequestPlan, RequestResult, RequestStage, VendorActs, VendorModel};

/// Longer than any request waits for its answer.
const NEVER: TimeDelta = TimeDelta::days(1);

/// The program's side of the connection to the vendor.
#[derive(Clone)]
pub struct SimVendor(pub Arc<Mutex<VendorModel>>);

impl SimVendor {
    pub fn model(&self) -> MutexGuard<'_, VendorModel> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> SharedClock {
        Arc::clone(&self.model().clock)
    }

    /// Acts on a call after the delay `after`. If the caller stops waiting before that, the request is dropped, or with
    /// `late_processing` it is still acted on after that delay (at most [`PROCESSING`]).
    fn act_later(
        &self,
        call: CallRequest,
        attempt: Option<i64>,
        after: TimeDelta,
        late_processing: Option<TimeDelta>,
    ) -> oneshot::Receiver<Response<Reply>> {
        let (mut reply, answer) = oneshot::channel();
        let vendor = self.clone();
        let (restorations, under_way) = {
            let model = self.model();
            (model.oracle.restorations, Arc::clone(&model.under_way))
        };
        tokio::spawn(async move {
            let clock = vendor.clock();
            tokio::select! {
                biased;
                () = clock.sleep(after) => {}
                () = reply.closed() => match late_processing {
                    Some(late) => clock.sleep(late).await,
                    None => return,
                }
            }
            let mut model = vendor.model();
            // A ledger that was restored in the meantime does not know the attempt.
            let attempt = attempt.filter(|_| model.oracle.restorations == restorations);
            let (value, exhausted) = model.act(&call, attempt);
            let answer = model.answer(value, exhausted);
            drop(under_way);
            // The caller may have stopped waiting.
            let _ = reply.send(answer);
        });
        answer
    }

    async fn send(&self, call: CallRequest) -> Response<Reply> {
        let (request_plan, attempt) = {
            let mut model = self.model();
            let now = model.clock.now();
            let attempt = model.oracle.on_request(now, &call);
            let request_plan = model.request_plan();
            let result = request_plan.result;
            model.oracle.trace.log(now, || format!("call of attempt {attempt:?}: {result:?}"));
            model.reached(RequestStage::Sent);
            (request_plan, attempt)
        };
        let RequestPlan { result, there, back, late_processing } = request_plan;
        let clock = self.clock();
        let never = |value| Response::bare(Reply::NotPlaced(value));
        match result {
            RequestResult::Answered => {
                let answer = self.act_later(call, attempt, there, late_processing).await;
                clock.sleep(back).await;
                answer.expect("a waiting caller gets an answer")
            }
            RequestResult::Lost(how, vendor_acts) => {
                let acted = match vendor_acts {
                    VendorActs::Never => None,
                    VendorActs::Before => Some(self.act_later(call, attempt, there, late_processing)),
                    VendorActs::After => {
                        Some(self.act_later(call, attempt, NEVER, late_processing.or(Some(PROCESSING))))
                    }
                };
                clock.sleep(there + back).await;
                drop(acted);
                Response::bare(Reply::Lost(how))
            }
            RequestResult::NeverConnected => {
                clock.sleep(there).await;
                never(NotPlaced::NeverConnected)
            }
            RequestResult::RateLimited => {
                clock.sleep(there + back).await;
                self.model().answer(Reply::NotPlaced(NotPlaced::RateLimited), true)
            }
            RequestResult::Refused => {
                clock.sleep(there + back).await;
                never(NotPlaced::refused(400, Concern::Destination))
            }
        }
    }

    /// One read: a delay, then `read_value` at the vendor, then the delay of the answer.
    async fn read<T>(
        &self,
        read_value: impl FnOnce(&mut VendorModel) -> Result<T, ReadError>,
    ) -> Response<Result<T, ReadError>> {
        let (fault, there, back) = self.read_journey();
        let clock = self.clock();
        clock.sleep(there).await;
        let answer = {
            let mut model = self.model();
            match fault {
                Some(ReadError::Unreachable) => Response::bare(Err(ReadError::Unreachable)),
                Some(fault) => model.answer(Err(fault), fault == ReadError::RateLimited),
                None if model.charge() => {
                    let value = read_value(&mut model);
                    model.answer(value, false)
                }
                None => model.answer(Err(ReadError::RateLimited), true),
            }
        };
        clock.sleep(back).await;
        answer
    }

    fn read_journey(&self) -> (Option<ReadError>, TimeDelta, TimeDelta) {
        let mut model = self.model();
        let percent = model.habits.read_faults;
        let drawn = model.rng.chance(percent).then(|| model.rng.pick(&READS));
        let fault = if model.in_outage() { Some(ReadError::Unreachable) } else { drawn };
        (fault, model.delay(), model.delay())
    }

    /// Counts a request; never returns if the program is dead, so that it sends nothing.
    async fn wait_for_good_if_dead(&self) {
        let dead = {
            let mut model = self.model();
            model.requests += 1;
            model.is_dead()
        };
        if dead {
            std::future::pending::<()>().await;
        }
    }
}

impl Vendor for SimVendor {
    async fn place(&self, call: CallRequest) -> Response<Reply> {
        self.wait_for_good_if_dead().await;
        let asked = call.clone();
        let answer = self.send(call).await;
        self.model().reached(RequestStage::Answered);
        self.wait_for_good_if_dead().await;
        self.model().refusal_streaks.note(&asked, &answer.value);
        answer
    }

    async fn page(&self, offset: u64, limit: u32) -> Response<Result<Page, ReadError>> {
        self.wait_for_good_if_dead().await;
        self.read(|model| {
            let page = model.page(offset, limit)?;
            if page.rows() > model.habits.odd.max_page_rows { Err(ReadError::TooLong) } else { Ok(page) }
        })
        .await
    }

    async fn conversation(&self, id: &ConversationId) -> Response<Result<Conversation, ReadError>> {
        self.wait_for_good_if_dead().await;
        let id = id.clone();
        self.read(move |model| {
            let as_of = model.answer_time();
            let view = model.world.conversation(as_of, &id).filter(|view| view.started <= as_of);
            let view = view.ok_or(ReadError::NotFound)?;
            Ok(model.conversation_as_shown(&view))
        })
        .await
    }

    async fn may_call_from(&self, from: E164) -> Response<Result<Option<bool>, ReadError>> {
        self.wait_for_good_if_dead().await;
        self.read(|model| Ok(model.rng.chance(50).then_some(!model.is_blocked_caller_id(from)))).await
    }
}
