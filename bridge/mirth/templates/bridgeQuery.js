/**
	Returns options as parameters of a query, each with an ampersand before it.

	@param {Object} options - { "fhir-release": "R5", strict: true }; contentType is no parameter and is left out.
	@return {String} "&fhir-release=R5&strict=true", or nothing.
*/
function bridgeQuery(options) {
    var query = '';
    for (var name in options) {
        if (name !== 'contentType' && name !== 'to') {
            query += '&' + encodeURIComponent(name) + '=' + encodeURIComponent(String(options[name]));
        }
    }
    return query;
}
