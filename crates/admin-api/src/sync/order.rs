//! In which order objects are changed, so that none takes what another still has.

use concord_directory::Object;
use std::collections::{BTreeMap, HashMap, HashSet};

/// An object before and after its change.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub before: Object,
    pub after: Object,
}

/// Changes, in waves: those of one wave need nothing of each other. What is left
/// then wants something of each other in circles, and is set together.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Places in the list that was given.
    pub waves: Vec<Vec<usize>>,
    pub circles: Vec<Vec<usize>>,
}

/// What only one object can have: its name and its addresses.
fn claims(object: &Object) -> HashSet<String> {
    let addresses = object.proxies.iter().map(|proxy| &proxy.address).chain(object.target());
    let mut claims: HashSet<String> = addresses.map(|address| address.key()).collect();
    claims.insert(format!("\n{}", object.name.to_lowercase()));
    claims
}

pub(super) fn order(steps: &[Step]) -> Order {
    let held: Vec<HashSet<String>> = steps.iter().map(|step| claims(&step.before)).collect();
    let mut holders: HashMap<&str, usize> = HashMap::new();
    for (place, claims) in held.iter().enumerate() {
        holders.extend(claims.iter().map(|claim| (claim.as_str(), place)));
    }
    // Who waits for whom.
    let waits = |(place, step): (usize, &Step)| -> HashSet<usize> {
        let wanted = claims(&step.after);
        let holders = wanted.iter().filter_map(|claim| holders.get(claim.as_str()).copied());
        holders.filter(|other| *other != place).collect()
    };
    let mut waits: Vec<HashSet<usize>> = steps.iter().enumerate().map(waits).collect();
    let mut waited_for: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (place, others) in waits.iter().enumerate() {
        for other in others {
            if let Some(waiting) = waited_for.get_mut(*other) {
                waiting.push(place);
            }
        }
    }
    let free =
        |waits: &[HashSet<usize>], place: &usize| waits.get(*place).is_some_and(HashSet::is_empty);
    let mut order = Order::default();
    let mut wave: Vec<usize> = (0..steps.len()).filter(|place| free(&waits, place)).collect();
    let mut done: HashSet<usize> = HashSet::new();
    while !wave.is_empty() {
        let mut next = Vec::new();
        for place in &wave {
            done.insert(*place);
            for waiting in waited_for.get(*place).into_iter().flatten() {
                let Some(left) = waits.get_mut(*waiting) else { continue };
                if left.remove(place) && left.is_empty() {
                    next.push(*waiting);
                }
            }
        }
        order.waves.push(std::mem::replace(&mut wave, next));
    }
    order.circles = together(steps.len(), &done, &waits);
    order
}

/// What is left, parted into those that have to do with each other.
fn together(count: usize, done: &HashSet<usize>, waits: &[HashSet<usize>]) -> Vec<Vec<usize>> {
    let mut leader: Vec<usize> = (0..count).collect();
    fn find(leader: &[usize], mut place: usize) -> usize {
        while let Some(next) = leader.get(place).copied().filter(|next| *next != place) {
            place = next;
        }
        place
    }
    for (place, others) in waits.iter().enumerate() {
        for other in others {
            let (a, b) = (find(&leader, place), find(&leader, *other));
            if let Some(slot) = leader.get_mut(a.max(b)) {
                *slot = a.min(b);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for place in (0..count).filter(|place| !done.contains(place)) {
        groups.entry(find(&leader, place)).or_default().push(place);
    }
    groups.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_base::{ObjectId, Timestamp};
    use concord_directory::{Contact, Details, NewObject};

    fn step(id: u64, before: &str, after: &str) -> Step {
        let object = |name: &str| {
            let target = format!("GWISE:D.P.{name}").parse().unwrap();
            let new = NewObject::new(name, Details::Contact(Contact { target }));
            Object::from_new(ObjectId(id), new, Timestamp(0))
        };
        Step { before: object(before), after: object(after) }
    }

    #[test]
    fn chains_go_from_their_end_and_circles_together() {
        let steps = [
            step(1, "a", "b"),
            step(2, "b", "c"),
            step(3, "c", "d"),
            step(4, "x", "y"),
            step(5, "y", "x"),
            step(6, "m", "M"),
            step(7, "w", "x2"),
        ];
        let order = order(&steps);
        assert_eq!(order.waves, [vec![2, 5, 6], vec![1], vec![0]]);
        assert_eq!(order.circles, [vec![3, 4]]);
    }

    #[test]
    fn who_waits_for_a_circle_goes_with_it() {
        let order = order(&[step(1, "x", "y"), step(2, "y", "x"), step(3, "z", "z")]);
        assert_eq!((order.waves, order.circles), (vec![vec![2]], vec![vec![0, 1]]));
    }
}
