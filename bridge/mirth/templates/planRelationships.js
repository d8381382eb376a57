/**
	Reads the items of the @{group-name} (@{group-tag}) from a DICOM message in a transformer. Nothing of it
	is at the top level of a plan, an item may lack any of it, and several items are usual: there is no "the" value.

	@param {XML} msg - The msg of a transformer whose inbound data type is DICOM.
	@return {Array} An object for each item, in order, with null for what the item lacks: @{members}.
*/
function planRelationships(msg) {
    var items = msg[@{group}]['item'];
    var found = [];

    function valueOf(element) {
        return element.length() === 0 ? null : String(element[0].text()).replace(/^ +| +$/g, '');
    }

    for (var n = 0; n < items.length(); n++) {
        found.push({
            @{+fields}
        });
    }
    return found;
}
