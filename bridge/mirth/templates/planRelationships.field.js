@{name}: valueOf(msg[@{group}]['item'][n][@{tag}])@{comma}
