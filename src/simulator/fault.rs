//! Faults: what can go wrong with a request, and how often.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::dice::Dice;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $acts:ident);* $(;)?) => {
        /// What goes wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its word in settings and in the log.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Whether the request is acted upon all the same.
            #[must_use]
            pub fn acts(self) -> Acts {
                match self { $(Self::$name => Acts::$acts,)* }
            }
        }
    };
}

/// Whether a request that is hit by a fault is acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acts {
    /// Never.
    No,
    /// Always.
    Yes,
    /// Every second time or so: nothing in the answer tells.
    Perhaps,
}

kinds! {
    /// This request is answered; then connections are refused for [`super::settings::Network::shut`].
    Refuse = "refuse", Yes;
    /// The connection is reset instead of an answer.
    ResetBefore = "reset-before", No;
    /// The connection is reset instead of an answer, after acting.
    ResetAfter = "reset-after", Yes;
    /// 500.
    ErrorBefore = "500-before", No;
    /// 500, after acting.
    ErrorAfter = "500-after", Yes;
    /// 502 from a gateway that may have passed the request on.
    BadGateway = "502", Perhaps;
    /// 503 from a gateway that may have passed the request on.
    Unavailable = "503", Perhaps;
    /// 504 from a gateway that may have passed the request on.
    GatewayTimeout = "504", Perhaps;
    /// No answer, and the connection stays.
    TimeoutAfter = "timeout-after", Yes;
    /// Half of the body, then the connection ends.
    Truncated = "truncated", Yes;
    /// A body that is not JSON.
    BadJson = "bad-json", Yes;
    /// A good answer without its `data`.
    IdMissing = "id-missing", Yes;
    /// A body that comes byte by byte.
    SlowBody = "slow-body", Yes;
    /// 429 although the budget has requests left.
    RateLimited = "429", No;
    /// A redirect to the same place: whoever follows it sends the request again.
    Redirect = "307", No;
    /// A redirect to the same place, to be read from: whoever follows it takes what is there for the answer.
    SeeOther = "303", Yes;
    /// A body of 50 MB, good JSON.
    BigBody = "big-body", Yes;
}

/// Which requests a fault may hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `POST /calls`.
    Calls,
    /// Every `GET`.
    Reads,
}

/// One kind of fault and how often it happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// With which requests.
    pub scope: Scope,
    /// The share of those requests, 0 to 1. Shares of one scope add up; what is beyond 1 never happens.
    pub share: f64,
}

/// Why a text is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAFault {
    /// It has no `=`.
    #[error("a fault is KIND=SHARE, such as reset-after=0.2, or KIND@reads=SHARE")]
    NoShare,
    /// Nobody knows that kind.
    #[error("unknown fault kind; known are {}", Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "))]
    UnknownKind,
    /// What is behind the `@` is neither of the two.
    #[error("faults happen to @calls (the default) or to @reads")]
    UnknownScope,
    /// The share is not one.
    #[error("the share of a fault is a number from 0 to 1")]
    NotAShare,
}

impl Fault {
    /// Reads `KIND=SHARE`, `KIND@calls=SHARE` or `KIND@reads=SHARE`.
    pub fn parse(text: &str) -> Result<Self, NotAFault> {
        let (what, share) = text.split_once('=').ok_or(NotAFault::NoShare)?;
        let (kind, scope) = what.split_once('@').unwrap_or((what, "calls"));
        let kind = Kind::ALL.iter().copied().find(|known| known.name() == kind.trim()).ok_or(NotAFault::UnknownKind)?;
        let scope = match scope.trim() {
            "calls" => Scope::Calls,
            "reads" => Scope::Reads,
            _ => return Err(NotAFault::UnknownScope),
        };
        let share =
            share.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or(NotAFault::NotAShare)?;
        Ok(Self { kind, scope, share })
    }
}

impl FromStr for Fault {
    type Err = NotAFault;

    fn from_str(text: &str) -> Result<Self, NotAFault> {
        Self::parse(text)
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) kind: Kind,
    pub(super) acts: bool,
}

/// Draws fates: the n-th request of a scope always has the same one.
#[derive(Debug)]
pub(super) struct Fates {
    faults: Vec<Fault>,
    dice: Dice,
    calls: AtomicU64,
    reads: AtomicU64,
}

impl Fates {
    /// `calls` is how many calls there were before, so that a restart does not repeat their fates.
    pub(super) fn new(faults: Vec<Fault>, seed: u64, calls: u64) -> Self {
        let dice = Dice::new(seed).under_text("fates");
        Self { faults, dice, calls: AtomicU64::new(calls), reads: AtomicU64::new(0) }
    }

    pub(super) fn draw(&self, scope: Scope) -> Option<Fate> {
        let (counter, word) = match scope {
            Scope::Calls => (&self.calls, "calls"),
            Scope::Reads => (&self.reads, "reads"),
        };
        let mut dice = self.dice.under_text(word).under(counter.fetch_add(1, Ordering::Relaxed));
        let mut left = dice.share();
        let fault = self.faults.iter().filter(|fault| fault.scope == scope).find(|fault| {
            left -= fault.share;
            left < 0.0
        })?;
        let acts = match fault.kind.acts() {
            Acts::No => false,
            Acts::Yes => true,
            Acts::Perhaps => dice.share() < 0.5,
        };
        Some(Fate { kind: fault.kind, acts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_its_word_and_share() {
        for kind in Kind::ALL {
            let fault = Fault::parse(&format!("{}=0.25", kind.name())).expect("a fault");
            assert_eq!(fault, Fault { kind: *kind, scope: Scope::Calls, share: 0.25 });
        }
        let reads = Fault::parse("500-before@reads=1").expect("a fault");
        assert_eq!((reads.scope, reads.share), (Scope::Reads, 1.0));
    }

    #[test]
    fn what_is_no_fault_is_refused_with_the_way_out() {
        let cases = [
            ("reset-after", NotAFault::NoShare),
            ("reset=0.1", NotAFault::UnknownKind),
            ("429@sms=0.1", NotAFault::UnknownScope),
            ("429=1.1", NotAFault::NotAShare),
            ("429=-0.1", NotAFault::NotAShare),
            ("429=NaN", NotAFault::NotAShare),
            ("429=some", NotAFault::NotAShare),
        ];
        for (text, expected) in cases {
            assert_eq!(Fault::parse(text), Err(expected), "{text}");
        }
        let unknown = NotAFault::UnknownKind.to_string();
        assert!(Kind::ALL.iter().all(|kind| unknown.contains(kind.name())), "{unknown}");
    }

    #[test]
    fn shares_are_kept_and_scopes_do_not_mix() {
        let faults = vec![
            Fault { kind: Kind::ResetAfter, scope: Scope::Calls, share: 0.2 },
            Fault { kind: Kind::Redirect, scope: Scope::Calls, share: 0.3 },
            Fault { kind: Kind::BadJson, scope: Scope::Reads, share: 1.0 },
        ];
        let fates = Fates::new(faults, 3, 0);
        let drawn: Vec<_> = (0..10_000).map(|_| fates.draw(Scope::Calls).map(|fate| fate.kind)).collect();
        let count = |kind| drawn.iter().filter(|drawn| **drawn == kind).count();
        assert!((1_850..2_150).contains(&count(Some(Kind::ResetAfter))));
        assert!((2_850..3_150).contains(&count(Some(Kind::Redirect))));
        assert_eq!(count(Some(Kind::BadJson)), 0);
        assert_eq!(fates.draw(Scope::Reads), Some(Fate { kind: Kind::BadJson, acts: true }));
    }

    #[test]
    fn a_seed_and_a_count_decide_a_fate() {
        let fates =
            |calls| Fates::new(vec![Fault { kind: Kind::BadGateway, scope: Scope::Calls, share: 0.5 }], 3, calls);
        let first = fates(0);
        let drawn: Vec<_> = (0..100).map(|_| first.draw(Scope::Calls)).collect();
        let later = fates(60);
        assert!((60..100).all(|n| later.draw(Scope::Calls) == drawn[n]));
        let acted = drawn.iter().flatten().filter(|fate| fate.acts).count();
        assert!((10..40).contains(&acted), "{acted} acted");
    }
}
