//! Faults: what goes wrong with a request, and how often.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::seeded_rng::SeededRng;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $execution:ident);* $(;)?) => {
        /// What goes wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum FaultKind {
            $($(#[$doc])* $name,)*
        }

        impl FaultKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its machine word in settings and in the call log.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Whether the request is executed despite the fault.
            #[must_use]
            pub fn execution(self) -> Execution {
                match self { $(Self::$name => Execution::$execution,)* }
            }
        }
    };
}

/// Whether a request is executed despite its fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// It is not executed.
    Never,
    /// It is executed.
    Always,
    /// It is executed with probability 0.5, and the response does not tell.
    Sometimes,
}

kinds! {
    /// This request gets its response; then connections are refused for [`super::settings::Network::refuse_for`].
    Refuse = "refuse", Always;
    /// The connection is reset instead of a response, before executing.
    ResetBefore = "reset-before", Never;
    /// The connection is reset instead of a response, after executing.
    ResetAfter = "reset-after", Always;
    /// 500, before executing.
    ErrorBefore = "500-before", Never;
    /// 500, after executing.
    ErrorAfter = "500-after", Always;
    /// 502 from a gateway that may have passed the request on.
    BadGateway = "502", Sometimes;
    /// 503 from a gateway that may have passed the request on.
    Unavailable = "503", Sometimes;
    /// 504 from a gateway that may have passed the request on.
    GatewayTimeout = "504", Sometimes;
    /// No response, and the connection stays open.
    TimeoutAfter = "timeout-after", Always;
    /// Half of the body, then the connection closes.
    Truncated = "truncated", Always;
    /// A body that is not JSON.
    BadJson = "bad-json", Always;
    /// A valid response with an empty `data`.
    IdMissing = "id-missing", Always;
    /// A body that comes byte by byte.
    SlowBody = "slow-body", Always;
    /// 429 although the budget has requests left.
    RateLimited = "429", Never;
    /// A redirect to the same URL: a client that follows it sends the request again.
    Redirect = "307", Never;
    /// A redirect to a `GET` of the same URL: a client that follows it takes that response for the reply.
    SeeOther = "303", Always;
    /// A body of 50 MiB, valid JSON.
    BigBody = "big-body", Always;
}

/// Which requests a fault may hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultScope {
    /// `POST /calls`.
    Calls,
    /// Every `GET`.
    Reads,
}

/// One kind of fault, and how often it happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Which requests it may hit.
    pub scope: FaultScope,
    /// The share of those requests that it hits, 0 to 1. The shares of one scope add up; beyond a sum of 1, faults
    /// never happen.
    pub share: f64,
}

/// Why a text is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultParseError {
    /// It has no `=`.
    #[error("a fault is KIND=SHARE, such as reset-after=0.2, or KIND@reads=SHARE")]
    NoShare,
    /// The kind is unknown.
    #[error("unknown fault kind; known are {}", FaultKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "))]
    UnknownKind,
    /// The scope after `@` is neither `calls` nor `reads`.
    #[error("unknown fault scope: use @calls (the default) or @reads")]
    UnknownScope,
    /// The share is not a number from 0 to 1.
    #[error("the share of a fault is a number from 0 to 1")]
    NotAShare,
}

impl Fault {
    /// Reads `KIND=SHARE`, `KIND@calls=SHARE` or `KIND@reads=SHARE`.
    pub fn parse(text: &str) -> Result<Self, FaultParseError> {
        let (what, share) = text.split_once('=').ok_or(FaultParseError::NoShare)?;
        let (kind, scope) = what.split_once('@').unwrap_or((what, "calls"));
        let kind = FaultKind::ALL
            .iter()
            .copied()
            .find(|known| known.name() == kind.trim())
            .ok_or(FaultParseError::UnknownKind)?;
        let scope = match scope.trim() {
            "calls" => FaultScope::Calls,
            "reads" => FaultScope::Reads,
            _ => return Err(FaultParseError::UnknownScope),
        };
        let share =
            share.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or(FaultParseError::NotAShare)?;
        Ok(Self { kind, scope, share })
    }
}

impl FromStr for Fault {
    type Err = FaultParseError;

    fn from_str(text: &str) -> Result<Self, FaultParseError> {
        Self::parse(text)
    }
}

/// The fault that hits one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InjectedFault {
    pub(super) kind: FaultKind,
    /// Whether the request is executed.
    pub(super) executes: bool,
}

/// Draws a fault for each request: the n-th request of a scope always gets the same one.
#[derive(Debug)]
pub(super) struct FaultInjector {
    faults: Vec<Fault>,
    rng: SeededRng,
    calls: AtomicU64,
    reads: AtomicU64,
}

impl FaultInjector {
    /// An injector after `calls` calls of an earlier run, so that a restart does not repeat their faults.
    pub(super) fn new(faults: Vec<Fault>, seed: u64, calls: u64) -> Self {
        let rng = SeededRng::new(seed).derive_text("fates");
        Self { faults, rng, calls: AtomicU64::new(calls), reads: AtomicU64::new(0) }
    }

    /// The fault of the next request of this scope; `None`: it goes well.
    pub(super) fn draw(&self, scope: FaultScope) -> Option<InjectedFault> {
        let (counter, word) = match scope {
            FaultScope::Calls => (&self.calls, "calls"),
            FaultScope::Reads => (&self.reads, "reads"),
        };
        let mut rng = self.rng.derive_text(word).derive(counter.fetch_add(1, Ordering::Relaxed));
        let mut remaining = rng.fraction();
        let fault = self.faults.iter().filter(|fault| fault.scope == scope).find(|fault| {
            remaining -= fault.share;
            remaining < 0.0
        })?;
        let executes = match fault.kind.execution() {
            Execution::Never => false,
            Execution::Always => true,
            Execution::Sometimes => rng.fraction() < 0.5,
        };
        Some(InjectedFault { kind: fault.kind, executes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_parsed_from_its_word_and_share() {
        for kind in FaultKind::ALL {
            let fault = Fault::parse(&format!("{}=0.25", kind.name())).expect("a fault");
            assert_eq!(fault, Fault { kind: *kind, scope: FaultScope::Calls, share: 0.25 });
        }
        let reads = Fault::parse("500-before@reads=1").expect("a fault");
        assert_eq!((reads.scope, reads.share), (FaultScope::Reads, 1.0));
    }

    #[test]
    fn a_text_that_is_no_fault_is_refused_with_the_valid_form() {
        let cases = [
            ("reset-after", FaultParseError::NoShare),
            ("reset=0.1", FaultParseError::UnknownKind),
            ("429@sms=0.1", FaultParseError::UnknownScope),
            ("429=1.1", FaultParseError::NotAShare),
            ("429=-0.1", FaultParseError::NotAShare),
            ("429=NaN", FaultParseError::NotAShare),
            ("429=some", FaultParseError::NotAShare),
        ];
        for (text, expected) in cases {
            assert_eq!(Fault::parse(text), Err(expected), "{text}");
        }
        let unknown = FaultParseError::UnknownKind.to_string();
        assert!(FaultKind::ALL.iter().all(|kind| unknown.contains(kind.name())), "{unknown}");
    }

    #[test]
    fn shares_are_kept_and_scopes_do_not_mix() {
        let faults = vec![
            Fault { kind: FaultKind::ResetAfter, scope: FaultScope::Calls, share: 0.2 },
            Fault { kind: FaultKind::Redirect, scope: FaultScope::Calls, share: 0.3 },
            Fault { kind: FaultKind::BadJson, scope: FaultScope::Reads, share: 1.0 },
        ];
        let injector = FaultInjector::new(faults, 3, 0);
        let drawn: Vec<_> = (0..10_000).map(|_| injector.draw(FaultScope::Calls).map(|fault| fault.kind)).collect();
        let count = |kind| drawn.iter().filter(|drawn| **drawn == kind).count();
        assert!((1_850..2_150).contains(&count(Some(FaultKind::ResetAfter))));
        assert!((2_850..3_150).contains(&count(Some(FaultKind::Redirect))));
        assert_eq!(count(Some(FaultKind::BadJson)), 0);
        assert_eq!(injector.draw(FaultScope::Reads), Some(InjectedFault { kind: FaultKind::BadJson, executes: true }));
    }

    #[test]
    fn a_seed_and_a_count_decide_a_fault() {
        let injector = |calls| {
            FaultInjector::new(
                vec![Fault { kind: FaultKind::BadGateway, scope: FaultScope::Calls, share: 0.5 }],
                3,
                calls,
            )
        };
        let first = injector(0);
        let drawn: Vec<_> = (0..100).map(|_| first.draw(FaultScope::Calls)).collect();
        let later = injector(60);
        assert!((60..100).all(|n| later.draw(FaultScope::Calls) == drawn[n]));
        let executed = drawn.iter().flatten().filter(|fault| fault.executes).count();
        assert!((10..40).contains(&executed), "{executed} executed");
    }
}
