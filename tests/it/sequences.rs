//! Sequences of all operations, by several people in several accounts while time passes: the real
//! handlers answer and store what a reference model says, in whatever order the steps come.
//!
//! A failing sequence is shortened as far as possible and printed.

mod history;
pub(crate) mod model;
pub(crate) mod step;
mod world;

use std::cell::Cell;

use proptest::prelude::{BoxedStrategy, Just, Strategy};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use tokio::runtime::Runtime;

use self::model::Model;
use self::step::opening;
pub(crate) use self::step::{Act, Caller, Handover, Report, Step, Token, single_step};
pub(crate) use self::world::{Sequence, World, summary_of};

/// The model generates the sequences, and shortens one that fails.
impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let mut model = Self::at_noon();
        for step in opening() {
            model.take(&step);
        }
        Just(model).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        single_step().boxed()
    }

    fn preconditions(model: &Self, step: &Step) -> bool {
        step.resolved(model).is_some()
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        if let Some(step) = step.resolved(&model) {
            model.take(&step);
        }
        model
    }
}

/// The real handlers, on a stack that lives as long as the process. A failing sequence abandons its
/// stack, and the next one starts another.
struct Handlers {
    runtime: &'static Runtime,
    sequence: Sequence<'static>,
}

thread_local! {
    static IDLE: Cell<Option<(&'static Runtime, &'static mut World)>> = const { Cell::new(None) };
}

impl StateMachineTest for Handlers {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        let (runtime, world) = IDLE.take().unwrap_or_else(|| {
            let runtime: &Runtime = Box::leak(Box::new(Runtime::new().unwrap()));
            let world = Box::new(runtime.block_on(World::start()));
            (runtime, Box::leak(world))
        });
        let sequence = runtime.block_on(world.begin());
        Self { runtime, sequence }
    }

    fn apply(mut handlers: Self, _: &Model, step: Step) -> Self {
        handlers.runtime.block_on(handlers.sequence.take(&step));
        handlers
    }

    fn check_invariants(handlers: &Self, _: &Model) {
        let Self { runtime, sequence } = handlers;
        runtime.block_on(sequence.expect_pointers());
    }

    fn teardown(mut handlers: Self, _: Model) {
        let Self { runtime, sequence } = &mut handlers;
        runtime.block_on(sequence.expect_open_doors());
        IDLE.set(Some((handlers.runtime, handlers.sequence.world)));
    }
}

/// Tries this many cases of a strategy. A failing case is shortened in at most this many steps, and
/// printed.
pub(crate) fn try_cases<S: Strategy>(
    cases: u32,
    max_shrink_iters: u32,
    rng_seed: RngSeed,
    strategy: &S,
    try_case: impl Fn(S::Value),
) {
    let config = Config {
        cases,
        max_shrink_iters,
        failure_persistence: None,
        rng_seed,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(strategy, |case| {
        try_case(case);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Runs sequences, and returns how many steps they had.
fn run(sequences: u32, longest: usize, rng_seed: RngSeed) -> usize {
    let strategy = Model::sequential_strategy(1..=longest);
    try_cases(
        sequences,
        2_000,
        rng_seed,
        &strategy,
        |(model, steps, seen)| {
            Handlers::test_sequential(Config::default(), model, steps, seen);
        },
    );
    IDLE.take().map_or(0, |(_, world)| world.steps)
}

#[test]
fn a_hundred_sequences_go_as_the_model_says() {
    let steps = run(100, 15, RngSeed::Fixed(7));
    assert!(steps > 500, "{steps}");
}

/// The long run: other sequences each time.
#[test]
#[ignore = "takes minutes: cargo test --profile long -p tests -- --ignored --nocapture sequences"]
fn ten_thousand_sequences_go_as_the_model_says() {
    let steps = run(10_000, 50, RngSeed::Random);
    println!("10000 sequences, {steps} steps");
}
