//! The machine that the program runs on: its disk, the disk's faults, and power failures.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::support::disk::{Disk, DiskFault, FaultKind, PowerLossEffect};
use crate::support::seeded_rng::SeededRng;

/// Most processes of a campaign make fewer disk operations than this.
const OPERATIONS_AT_MOST: u32 = 500;

pub struct Machine {
    pub disk: Arc<Disk>,
    faults: FaultSource,
    rng: SeededRng,
    pub power_failures: u64,
    pub disk_errors: u64,
    /// Disk operations of the busiest process.
    pub operations: u64,
    /// Which operations of the first process were syncs.
    pub syncs: Vec<u64>,
}

/// Where a machine's faults come from.
enum FaultSource {
    Random,
    /// For each process in turn: its disk fault, and whether the power fails when it ends. Later processes have none.
    Fixed(VecDeque<(Option<DiskFault>, bool)>),
}

impl Machine {
    /// A machine whose faults are drawn from the seed.
    pub fn random(seed: u64, disk: Arc<Disk>) -> Self {
        Self::with(FaultSource::Random, seed, disk)
    }

    /// A machine with one fault, in the first process.
    pub fn with_fault(fault: Option<DiskFault>, power_fails: bool, seed: u64, disk: Arc<Disk>) -> Self {
        Self::with_faults([(fault, power_fails)], seed, disk)
    }

    /// A machine with these faults, one for each process, each with whether the power fails afterwards.
    pub fn with_faults(
        faults: impl IntoIterator<Item = (Option<DiskFault>, bool)>,
        seed: u64,
        disk: Arc<Disk>,
    ) -> Self {
        Self::with(FaultSource::Fixed(faults.into_iter().collect()), seed, disk)
    }

    fn with(faults: FaultSource, seed: u64, disk: Arc<Disk>) -> Self {
        Self {
            disk,
            faults,
            rng: SeededRng::new(seed).derive(13),
            power_failures: 0,
            disk_errors: 0,
            operations: 0,
            syncs: Vec::new(),
        }
    }

    /// Starts a process; returns its disk fault, if it has one. A random fault is drawn only if the process `may_fail`.
    pub fn begin_process(&mut self, may_fail: bool) -> Option<DiskFault> {
        let fault = match &self.faults {
            FaultSource::Random => (may_fail && self.rng.chance(20)).then(|| {
                let at = self.rng.between(0, OPERATIONS_AT_MOST).into();
                let kind =
                    self.rng.pick(&[FaultKind::Kill, FaultKind::Full, FaultKind::ErrorOnce, FaultKind::ErrorForGood]);
                DiskFault { at, kind }
            }),
            FaultSource::Fixed(processes) => processes.front().and_then(|(fault, _)| *fault),
        };
        self.disk.begin_process(fault);
        fault
    }

    pub fn fault_occurred(&self) -> bool {
        self.disk.fault_occurred()
    }

    /// Ends the process, whose connections are closed by now; returns whether the power failed.
    pub fn end_process(&mut self) -> bool {
        self.disk_errors += u64::from(self.fault_occurred());
        self.operations = self.operations.max(self.disk.operations());
        if self.syncs.is_empty() {
            self.syncs = self.disk.syncs();
        }
        let power_fails = match &mut self.faults {
            FaultSource::Random => self.rng.chance(if self.disk.is_killed() { 60 } else { 10 }),
            FaultSource::Fixed(processes) => processes.pop_front().is_some_and(|(_, power_fails)| power_fails),
        };
        self.disk.kill();
        if power_fails {
            self.power_failures += 1;
            let pattern = self.rng.between(0, 3);
            let rng = &mut self.rng;
            self.disk.lose_power(|| power_loss_effect(rng, pattern));
        }
        power_fails
    }
}

/// Pattern 0 loses every unsynced change, 1 keeps every one, any other draws for each change.
fn power_loss_effect(rng: &mut SeededRng, pattern: u32) -> PowerLossEffect {
    match pattern {
        0 => PowerLossEffect::Lost,
        1 => PowerLossEffect::Kept,
        _ => match rng.between(0, 3) {
            0 => PowerLossEffect::Kept,
            1 => PowerLossEffect::Torn(rng.between(0, 255) as u8),
            _ => PowerLossEffect::Lost,
        },
    }
}
