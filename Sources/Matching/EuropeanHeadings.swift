/// Words of headings in German, French, Spanish, Italian, Portuguese and Dutch, without accents as `HeaderWords.words` has them. Words
/// that mean another thing in English (`nominal`, `land`) are left out.
package enum EuropeanHeadings {
    static let words: [(ColumnKind, [String])] = [
        (.givenName, [
            "vorname", "rufname", "prenom", "prenoms", "nombre", "nombres", "nombre de pila", "primer nombre", "nome", "nome proprio",
            "primeiro nome", "voornaam", "roepnaam",
        ]),
        (.surname, [
            "nachname", "familienname", "zuname", "nom", "nom de famille", "apellido", "apellidos", "primer apellido", "cognome", "apelido",
            "sobrenome", "achternaam", "familienaam",
        ]),
        (.fullName, [
            "vollstandiger name", "vollstaendiger name", "kunde", "kundenname", "nom complet", "nom et prenom", "nom prenom", "nom du client",
            "nombre completo", "nombre y apellidos", "nombre del cliente", "nome completo", "nome e cognome", "nome do cliente", "nominativo",
            "naam", "volledige naam", "klantnaam", "raison sociale", "razon social", "ragione sociale", "razao social", "firma", "firmenname",
        ]),
        (.birthDate, [
            "geburtsdatum", "geburtstag", "geboren", "geboren am", "date de naissance", "naissance", "ne le", "fecha de nacimiento",
            "nacimiento", "fecha nacimiento", "data di nascita", "nascita", "data de nascimento", "nascimento", "geboortedatum",
        ]),
        (.phone, [
            "telefon", "telefonnummer", "handy", "handynummer", "mobilnummer", "rufnummer", "mobiltelefon", "telephone", "portable", "numero de telephone",
            "telefono", "movil", "celular", "telefono movil", "cellulare", "telefone", "telemovel", "telefoon", "telefoonnummer", "mobiel",
        ]),
        (.email, [
            "mail", "e mail adresse", "courriel", "adresse e mail", "adresse mail", "correo", "correo electronico", "posta elettronica", "correio eletronico",
        ]),
        (.street, [
            "strasse", "anschrift", "adresse", "rue", "calle", "direccion", "domicilio", "indirizzo", "rua", "endereco", "morada", "straat",
            "straatnaam", "adres",
        ]),
        (.houseNumber, ["hausnummer", "hausnr", "huisnummer", "numero civico"]),
        (.suburb, [
            "ort", "wohnort", "stadt", "ville", "commune", "ciudad", "localidad", "poblacion", "municipio", "citta", "comune", "cidade", "localidade",
            "stad", "plaats", "woonplaats", "gemeente",
        ]),
        (.postcode, ["postleitzahl", "code postal", "codigo postal", "codice postale", "cep"]),
        (.category, ["geschlecht", "anrede", "sexe", "civilite", "sexo", "genero", "sesso", "genere", "geslacht", "bundesland", "pais", "paese"]),
        (.identityNumber, [
            "ausweisnummer", "personalausweis", "steuernummer", "numero de securite sociale", "carte d identite", "dni", "nif", "codice fiscale", "cpf", "bsn",
            "rijksregisternummer",
        ]),
    ]
}
