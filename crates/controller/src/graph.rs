//! Which service needs which.

use crate::error::ControllerError;
use crate::spec::ServiceSpec;

/// Names are unique, dependencies exist and have no circle.
pub(crate) fn check(specs: &[ServiceSpec]) -> Result<(), ControllerError> {
    for (index, spec) in specs.iter().enumerate() {
        let earlier = specs.get(..index).unwrap_or_default();
        if earlier.iter().any(|other| other.name == spec.name) {
            return Err(ControllerError::Services(format!("'{}' stands twice", spec.name)));
        }
        for name in &spec.depends_on {
            if !specs.iter().any(|other| other.name == *name) {
                let what = format!("'{}' depends on '{name}', which does not exist", spec.name);
                return Err(ControllerError::Services(what));
            }
        }
        let others = specs.iter().enumerate().filter(|(_, s)| spec.depends_on.contains(&s.name));
        for (other, _) in others {
            if with_dependencies(specs.iter(), other).contains(&index) {
                let what = format!("'{}' depends on itself in a circle", spec.name);
                return Err(ControllerError::Services(what));
            }
        }
    }
    Ok(())
}

/// A service and everything that it needs, directly or not.
pub(crate) fn with_dependencies<'a>(
    specs: impl Iterator<Item = &'a ServiceSpec>,
    index: usize,
) -> Vec<usize> {
    closure(specs, index, |from, to| from.depends_on.contains(&to.name))
}

/// A service and everything that needs it, directly or not.
pub(crate) fn with_dependents<'a>(
    specs: impl Iterator<Item = &'a ServiceSpec>,
    index: usize,
) -> Vec<usize> {
    closure(specs, index, |from, to| to.depends_on.contains(&from.name))
}

fn closure<'a>(
    specs: impl Iterator<Item = &'a ServiceSpec>,
    index: usize,
    follows: impl Fn(&ServiceSpec, &ServiceSpec) -> bool,
) -> Vec<usize> {
    let specs: Vec<_> = specs.collect();
    let mut found = vec![index];
    let mut next = 0;
    while let Some(from) = found.get(next).and_then(|i| specs.get(*i)) {
        for (to, spec) in specs.iter().enumerate() {
            if !found.contains(&to) && follows(from, spec) {
                found.push(to);
            }
        }
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Supervision;
    use std::time::Duration;

    fn spec(name: &str, needs: &[&str]) -> ServiceSpec {
        ServiceSpec {
            name: name.into(),
            program: "/bin/true".into(),
            args: Vec::new(),
            depends_on: needs.iter().map(|n| (*n).to_owned()).collect(),
            sockets: Vec::new(),
            supervision: Supervision {
                start_time: Duration::ZERO,
                stop_time: Duration::ZERO,
                watchdog: Duration::ZERO,
                crash_budget: 1,
                crash_window: Duration::ZERO,
                back_off_min: Duration::ZERO,
                back_off_max: Duration::ZERO,
            },
            environment: Default::default(),
            enabled: true,
            optional: false,
        }
    }

    #[test]
    fn closures_follow_both_ways() {
        let specs = [spec("a", &["b"]), spec("b", &["c"]), spec("c", &[]), spec("d", &["c"])];
        assert_eq!(with_dependencies(specs.iter(), 0), [0, 1, 2]);
        assert_eq!(with_dependents(specs.iter(), 2), [2, 1, 3, 0]);
        assert!(check(&specs).is_ok());
    }

    #[test]
    fn contradictions_are_refused() {
        for specs in [
            vec![spec("a", &["b"])],
            vec![spec("a", &[]), spec("a", &[])],
            vec![spec("a", &["a"])],
            vec![spec("a", &["b"]), spec("b", &["c"]), spec("c", &["a"])],
        ] {
            assert!(check(&specs).is_err());
        }
    }
}
