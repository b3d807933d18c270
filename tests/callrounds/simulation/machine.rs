//! The machine that the program runs on: its disk, what goes wrong with it, and its power.

use std::collections::VecDeque;
use std::sync::Arc;

use super::dice::Dice;
use crate::disk::{Disk, Fate, Mishap, Trouble};

/// Most lives of a campaign do less to their disk than this.
const A_LIFE: u32 = 500;

/// A machine.
pub struct Machine {
    pub disk: Arc<Disk>,
    fortune: Fortune,
    dice: Dice,
    pub power_failures: u64,
    pub disk_errors: u64,
    /// What the busiest life did to the disk.
    pub operations: u64,
    /// Which operations of the first life were syncs.
    pub syncs: Vec<u64>,
}

/// What befalls a machine.
enum Fortune {
    /// What its dice decide.
    Drawn,
    /// This in each life, and then the power fails or does not; nothing after the last of them.
    Told(VecDeque<(Option<Mishap>, bool)>),
}

impl Machine {
    /// A machine whose seed decides everything.
    pub fn drawn(seed: u64, disk: Arc<Disk>) -> Self {
        Self::with(Fortune::Drawn, seed, disk)
    }

    /// A machine that has one mishap in its first life.
    pub fn told(mishap: Option<Mishap>, power_fails: bool, seed: u64, disk: Arc<Disk>) -> Self {
        Self::in_lives([(mishap, power_fails)], seed, disk)
    }

    /// A machine that has these mishaps, one in each of its lives, some of which end with the power.
    pub fn in_lives(mishaps: impl IntoIterator<Item = (Option<Mishap>, bool)>, seed: u64, disk: Arc<Disk>) -> Self {
        Self::with(Fortune::Told(mishaps.into_iter().collect()), seed, disk)
    }

    fn with(fortune: Fortune, seed: u64, disk: Arc<Disk>) -> Self {
        Self {
            disk,
            fortune,
            dice: Dice::new(seed).apart(13),
            power_failures: 0,
            disk_errors: 0,
            operations: 0,
            syncs: Vec::new(),
        }
    }

    /// The program is started. What goes wrong in this life, if it `may_die`.
    pub fn begin_life(&mut self, may_die: bool) -> Option<Mishap> {
        let mishap = match &self.fortune {
            Fortune::Drawn => (may_die && self.dice.chance(20)).then(|| {
                let at = self.dice.between(0, A_LIFE).into();
                let what = self.dice.pick(&[Trouble::Death, Trouble::Full, Trouble::Error, Trouble::Broken]);
                Mishap { at, what }
            }),
            Fortune::Told(lives) => lives.front().and_then(|(mishap, _)| *mishap),
        };
        self.disk.begin_life(mishap);
        mishap
    }

    pub fn has_struck(&self) -> bool {
        self.disk.has_struck()
    }

    /// The program has ended, one way or another, and its connections are closed. Whether the power has failed.
    pub fn end_life(&mut self) -> bool {
        self.disk_errors += u64::from(self.has_struck());
        self.operations = self.operations.max(self.disk.operations());
        if self.syncs.is_empty() {
            self.syncs = self.disk.syncs();
        }
        let fails = match &mut self.fortune {
            Fortune::Drawn => self.dice.chance(if self.disk.is_cut() { 60 } else { 10 }),
            Fortune::Told(lives) => lives.pop_front().is_some_and(|(_, fails)| fails),
        };
        self.disk.cut();
        if fails {
            self.power_failures += 1;
            let mood = self.dice.between(0, 3);
            let dice = &mut self.dice;
            self.disk.lose_power(|| fate(dice, mood));
        }
        fails
    }
}

/// Nothing of what was not synced is there, or all of it, or some.
fn fate(dice: &mut Dice, mood: u32) -> Fate {
    match mood {
        0 => Fate::Lost,
        1 => Fate::Kept,
        _ => match dice.between(0, 3) {
            0 => Fate::Kept,
            1 => Fate::Torn(dice.between(0, 255) as u8),
            _ => Fate::Lost,
        },
    }
}
